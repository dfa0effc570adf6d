"""A FastCGI client at the level of records, for what no web server does."""

import struct

from .client import connect

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
GET_VALUES = 9


def record(kind, content=b"", request_id=1, version=1):
    return (
        struct.pack(">BBHHBx", version, kind, request_id, len(content), 0)
        + content
    )


def begin(role=1, flags=0):
    return record(BEGIN, struct.pack(">HB5x", role, flags))


def length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def pairs(params):
    out = b""
    for name, value in params:
        name, value = name.encode(), value.encode("latin-1")
        out += length(len(name)) + length(len(value)) + name + value
    return out


def params_for(method, uri, *more):
    path, _, query = uri.partition("?")
    return [
        ("REQUEST_METHOD", method),
        ("REQUEST_URI", uri),
        ("SCRIPT_NAME", path),
        ("QUERY_STRING", query),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_NAME", "gateway.test"),
        ("SERVER_PORT", "80"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REMOTE_PORT", "40000"),
        ("HTTP_HOST", "gateway.test"),
    ] + list(more)


def stream(kind, data):
    """data as records of that kind, with the empty one at the end."""
    parts = [data[i : i + 65528] for i in range(0, len(data), 65528)]
    return b"".join(record(kind, part) for part in parts) + record(kind)


def encode(params, stdin=b"", flags=0):
    return (
        begin(flags=flags)
        + stream(PARAMS, pairs(params))
        + stream(STDIN, stdin)
    )


class Answer:
    """What came back: the CGI text, and whether END_REQUEST was there."""

    def __init__(self):
        self.out = b""
        self.err = b""
        self.ended = False
        self.protocol_status = None
        self.broken = False

    @property
    def status(self):
        head = self.out.partition(b"\r\n\r\n")[0]
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"status:"):
                return int(line.split()[1])
        return 200 if head else 0

    @property
    def body(self):
        return self.out.partition(b"\r\n\r\n")[2]


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        try:
            part = s.recv(n - len(data))
        except ConnectionResetError:
            return None
        if not part:
            return None
        data += part
    return data


def read_answer(s):
    answer = Answer()
    while True:
        head = read_exactly(s, 8)
        if head is None:
            return answer
        version, kind, _, size, padding = struct.unpack(">BBHHBx", head)
        if version != 1:
            answer.broken = True
            return answer
        content = read_exactly(s, size + padding)
        if content is None:
            return answer
        content = content[:size]
        if kind == STDOUT:
            answer.out += content
        elif kind == STDERR:
            answer.err += content
        elif kind == END:
            answer.ended = True
            answer.protocol_status = content[4]
            return answer


def request(address, method, uri, *more, stdin=b"", timeout=30):
    with connect(address, timeout) as s:
        s.sendall(encode(params_for(method, uri, *more), stdin))
        return read_answer(s)
