"""An HTTP/1.1 client that sends and shows exact bytes."""

import json
import socket


class Response:
    """status 0: the server closed without an answer."""

    def __init__(self, raw, method="GET"):
        self.raw = raw
        self.status = 0
        self.headers = []
        self.body = b""
        self.complete = False
        head, blank, rest = raw.partition(b"\r\n\r\n")
        if not blank:
            return
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.append((name, value.strip()))
        if method == "HEAD" or self.status in (204, 304):
            self.body, self.complete = rest, rest == b""
        elif self.header("transfer-encoding") == "chunked":
            self.body, self.complete = dechunk(rest)
        elif self.header("content-length") is not None:
            self.body = rest
            self.complete = len(rest) == int(self.header("content-length"))
        else:
            self.body, self.complete = rest, True

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<Response {self.raw[:2000]!r}>"


def dechunk(data):
    """The decoded bytes, and whether the last chunk was there."""
    body = b""
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            return body, False
        size = int(line.split(b";")[0], 16)
        if size == 0:
            return body, data.endswith(b"\r\n")
        body += data[:size]
        if len(data) < size + 2:
            return body, False
        data = data[size + 2 :]


def encode_request(method, target, headers=(), body=None, host="gateway.test"):
    """The bytes of a request. Texts are latin-1; body None means no body."""
    fields = list(headers.items() if isinstance(headers, dict) else headers)
    names = [name.lower() for name, _ in fields]
    if host is not None and "host" not in names:
        fields.insert(0, ("Host", host))
    if "connection" not in names:
        fields.append(("Connection", "close"))
    if body is not None and not {"content-length", "transfer-encoding"} & set(
        names
    ):
        fields.append(("Content-Length", str(len(body))))
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in fields
    )
    return head.encode("latin-1") + b"\r\n" + (body or b"")


def chunked(parts):
    return (
        b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        + b"0\r\n\r\n"
    )


def connect(address, timeout=30):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    s = socket.socket(family)
    s.settimeout(timeout)
    s.connect(address)
    return s


def read_all(s):
    """Everything until the peer closes, also when it resets."""
    parts = []
    while True:
        try:
            data = s.recv(1 << 16)
        except ConnectionResetError:
            break
        if not data:
            break
        parts.append(data)
    return b"".join(parts)


def read_response(s, data=b""):
    """
    One framed response, of which data has come, also a cut one; and whether
    the peer closed.
    """
    while True:
        try:
            part = s.recv(1 << 20)
        except ConnectionResetError:
            part = b""
        data += part
        answer = Response(data)
        framed = answer.header("content-length") or answer.header(
            "transfer-encoding"
        )
        if not part or (framed and answer.complete):
            return answer, not part


def send_raw(address, data, method="GET", timeout=30):
    with connect(address, timeout) as s:
        try:
            s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return Response(read_all(s), method)


def request(address, method, target, headers=(), body=None, **options):
    timeout = options.pop("timeout", 30)
    data = encode_request(method, target, headers, body, **options)
    return send_raw(address, data, method, timeout)
