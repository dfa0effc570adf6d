"""What every web server with its file of conf/ does, one function for each.

A behaviour takes the web server and a backend to which everything goes. Its
name, which sallyport-fronts(7) uses, is the function's with hyphens. Waiting
that may be in vain is bounded by front.patience.
"""

import hashlib
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from . import client
from .backend import BLOCK
from .wait import until

BEHAVIOURS = {}
MIB = 1 << 20
UPLOAD = BLOCK * (8 * MIB // len(BLOCK))
DIGEST = hashlib.blake2b(UPLOAD).hexdigest()


def behaviour(function):
    BEHAVIOURS[function.__name__.replace("_", "-")] = function
    return function


def seen(backend, path):
    """The one request that the backend got below a path."""
    found = [r for r in backend.requests if r.target.startswith(path)]
    assert len(found) == 1, [r.target for r in found]
    return found[0]


def receive_until(s, wanted):
    data = b""
    while wanted not in data:
        part = s.recv(1 << 16)
        assert part, data
        data += part
    return data


# ---- methods ----


def check_method(front, method, body=None):
    # A QUERY has to say what its body is.
    headers = {"Content-Type": "text/plain"} if body else {}
    answer = front.request(method, "/echo", headers, body)
    assert answer.status == 200, answer
    assert answer.json()["method"] == method
    assert answer.json()["body"].encode("latin-1") == (body or b"")


def add_methods():
    for method, body in [
        ("GET", None),
        ("POST", b"a body"),
        ("PUT", b"a body"),
        ("PATCH", b"a body"),
        ("DELETE", None),
        ("OPTIONS", None),
        ("PROPFIND", None),
        ("REPORT", b"a body"),
        ("QUERY", b"a body"),
        ("PURGE", None),
        ("X-OWN", None),
    ]:
        BEHAVIOURS["method-" + method.lower()] = (
            lambda front, _, m=method, b=body: check_method(front, m, b)
        )


add_methods()


@behaviour
def method_head(front, backend):
    async def length(stream):
        await stream.head(200, [("Content-Length", "12345")])
        if stream.request.method != "HEAD":
            await stream.write(b"x" * 12345)

    backend.on["/length"] = length
    answer = front.request("HEAD", "/length")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("content-length") == "12345"


@behaviour
def method_trace_is_refused(front, backend):
    answer = front.request("TRACE", "/echo/trace")
    assert answer.status in (400, 403, 405, 501), answer
    assert not backend.requests


@behaviour
def method_connect_is_refused(front, backend):
    answer = front.request("CONNECT", "example.org:443")
    assert answer.status in (0, 400, 403, 405, 501), answer
    assert not backend.requests


@behaviour
def method_case(front, backend):
    """A method in lower case is another method, or refused."""
    answer = front.request("get", "/echo")
    assert answer.status in (400, 405, 501) or (
        answer.json()["method"] == "get"
    ), answer


@behaviour
def body_of_get(front, _):
    check_method(front, "GET", b"a body")


@behaviour
def body_of_delete(front, _):
    check_method(front, "DELETE", b"a body")


@behaviour
def body_of_options(front, _):
    check_method(front, "OPTIONS", b"a body")


# ---- targets ----

TARGETS = {
    "escaped-slash": "/echo/a%2Fb%2fc",
    "slashes": "/echo//a///b//",
    "semicolon": "/echo/a;b=1;c/d;",
    "utf8-raw": "/echo/h\u00c3\u00a9",
    "utf8-escaped": "/echo/h%C3%A9/%e2%82%ac",
    "invalid-utf8-escaped": "/echo/%ff%fe",
    "escaped-twice": "/echo/a%252Fb%2500",
    "empty-query": "/echo/a?",
    "query": "/echo/a?b=%2F%2f&c=//../x&d=e=f&&g+h?i;j",
    "query-long": "/echo/a?" + "q=0123456789&" * 500,
    "escaped-characters": "/echo/%3F%23%25%5C%20%22%3C%3E%7C%7E",
    "plain-characters": "/echo/-._~!$&'()*+,=:@",
    "odd-characters": '/echo/a|b{c}"d"<e>\\f^g`h',
    "escaped-space": "/echo/a%20b+c",
    "escaped-newline": "/echo/a%0d%0ab",
    "dot-segments": "/echo/a/./b/../c",
    "escaped-dots": "/echo/%2e%2e/echo/%2E",
    "segment-long": "/echo/" + "s" * 600,
}


def check_target(front, target):
    answer = front.get(target)
    assert answer.status == 200, answer
    assert answer.json()["target"] == target


for name, target in TARGETS.items():
    BEHAVIOURS["target-" + name] = (
        lambda front, _, t=target: check_target(front, t)
    )


@behaviour
def target_with_nul_is_refused(front, backend):
    answer = front.get("/echo/a%00b")
    assert answer.status in (400, 404), answer
    assert not backend.requests


@behaviour
def target_absolute(front, backend):
    answer = front.get("http://gateway.test/echo/x%2Fy?z")
    assert answer.status == 200, answer
    assert answer.json()["target"] == "/echo/x%2Fy?z"
    assert seen(backend, "/echo").header("host") == "gateway.test"


# ---- headers ----


def echoed(front, headers, **options):
    answer = front.get("/echo", headers, **options)
    assert answer.status == 200, answer
    return [(n.lower(), v) for n, v in answer.json()["headers"]]


def values(fields, name):
    return [v for n, v in fields if n == name]


@behaviour
def header_repeated(front, _):
    fields = echoed(front, [("X-A", "1"), ("X-B", "0"), ("X-A", "2")])
    assert ", ".join(values(fields, "x-a")) == "1, 2"


@behaviour
def header_bytes(front, _):
    """Bytes of UTF-8, quotes, commas, and white space around a value."""
    fields = echoed(front, [("X-A", '  "h\u00c3\u00a9", \\ ;\t=x  ')])
    assert values(fields, "x-a") == ['"h\u00c3\u00a9", \\ ;\t=x']


@behaviour
def header_empty(front, _):
    assert values(echoed(front, [("X-A", "")]), "x-a") == [""]


@behaviour
def header_authorization(front, _):
    for value in ("Bearer a.b.c", "Basic dTpw", 'Digest a="b", c=d'):
        fields = echoed(front, {"Authorization": value})
        assert values(fields, "authorization") == [value]


@behaviour
def header_cookie(front, _):
    value = 'a=1; b="2"; c=x,y; d='
    assert values(echoed(front, {"Cookie": value}), "cookie") == [value]


@behaviour
def header_cookie_repeated(front, _):
    """If they are joined then by "; " (RFC 9113 section 8.2.3)."""
    fields = echoed(front, [("Cookie", "a=1"), ("Cookie", "b=2")])
    assert "; ".join(values(fields, "cookie")) == "a=1; b=2"


@behaviour
def header_content_type(front, _):
    for sent in (None, "text/x-own; a=b"):
        headers = {"Content-Type": sent} if sent else {}
        answer = front.request("POST", "/echo", headers, b"x")
        fields = [(n.lower(), v) for n, v in answer.json()["headers"]]
        assert values(fields, "content-type") == ([sent] if sent else [])


@behaviour
def header_proxy_is_removed(front, _):
    fields = echoed(front, {"Proxy": "http://evil.example", "X-A": "1"})
    assert not values(fields, "proxy")


@behaviour
def header_hop_by_hop_is_removed(front, _):
    fields = echoed(
        front,
        {
            "Connection": "close, X-Hop",
            "X-Hop": "1",
            "Keep-Alive": "timeout=5",
            "Upgrade": "h2c",
        },
    )
    names = {n for n, _ in fields}
    assert not {"x-hop", "keep-alive", "upgrade"} & names, names


@behaviour
def header_underscore(front, _):
    """X_A is not taken for X-A."""
    assert not values(echoed(front, {"X_A": "1"}), "x-a")


@behaviour
def header_8k(front, _):
    value = "v" * 8000
    assert values(echoed(front, {"X-A": value}), "x-a") == [value]


@behaviour
def header_15k(front, _):
    value = "v" * 15000
    assert values(echoed(front, {"X-A": value}), "x-a") == [value]


@behaviour
def headers_50(front, _):
    sent = {f"X-A-{i}": "v" * 100 for i in range(50)}
    fields = dict(echoed(front, sent))
    assert all(fields.get(n.lower()) == v for n, v in sent.items())


@behaviour
def header_too_large_is_refused(front, backend):
    """It is refused or passes; it is never left out or cut."""
    for size in (17000, 40000, 66000, 140000):
        answer = front.get("/echo", {"X-A": "v" * size})
        if answer.status == 200:
            fields = [(n.lower(), v) for n, v in answer.json()["headers"]]
            assert values(fields, "x-a") == ["v" * size], size
        else:
            assert answer.status in (0, 400, 413, 414, 431), (size, answer)


@behaviour
def forwarded_for(front, backend):
    """The client's address is the connection's, whatever it claims."""
    for claim in ({"X-Forwarded-For": "198.51.100.1"}, {}):
        fields = echoed(front, claim)
        assert values(fields, "x-envoy-external-address") == ["127.0.0.1"]
        hops = values(fields, "x-forwarded-for")[0].split(",")
        # What is claimed, if it is passed on, stands before.
        assert len(hops) == 1 or hops[:-1] == ["198.51.100.1"], hops
        assert front.log.wait(1)[-1]["client"] == "127.0.0.1"


@behaviour
def header_none_added(front, _):
    names = {n for n, _ in echoed(front, {})}
    assert names == {
        "host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-request-id",
        "x-envoy-external-address",
        "x-envoy-expected-rq-timeout-ms",
    }


@behaviour
def forwarded_proto(front, _):
    fields = echoed(front, {"X-Forwarded-Proto": "https"})
    assert values(fields, "x-forwarded-proto") == ["http"]


@behaviour
def host(front, _):
    fields = echoed(front, {"Host": "Some_host.example:8080"})
    assert values(fields, "host")[0].lower() == "some_host.example:8080"


@behaviour
def http_1_0(front, _):
    data = b"GET /echo/old HTTP/1.0\r\nHost: gateway.test\r\n\r\n"
    answer = client.send_raw(front.address, data)
    assert answer.status == 200, answer
    assert answer.json()["target"] == "/echo/old"


# ---- answers ----


def answers(front, backend, status, fields, method="GET"):
    backend.response_status, backend.response_headers = status, fields
    return front.request(method, "/headers")


@behaviour
def response_repeated(front, backend):
    answer = answers(
        front, backend, 200, [("X-A", "1"), ("X-B", "0"), ("X-A", "2")]
    )
    assert ", ".join(answer.all("x-a")) == "1, 2"


@behaviour
def response_set_cookie(front, backend):
    cookies = ["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 2099 00:00:00 GMT"]
    answer = answers(
        front, backend, 200, [("Set-Cookie", c) for c in cookies]
    )
    assert answer.all("set-cookie") == cookies


@behaviour
def response_header_7k(front, backend):
    answer = answers(front, backend, 200, [("X-A", "v" * 7000)])
    assert answer.header("x-a") == "v" * 7000
    assert answer.body == b"ok"


@behaviour
def response_headers_24k(front, backend):
    fields = [(f"X-A-{i}", "v" * 3000) for i in range(8)]
    answer = answers(front, backend, 200, fields)
    assert all(answer.header(n) == v for n, v in fields)
    assert answer.body == b"ok"


@behaviour
def response_statuses(front, backend):
    for status in (201, 202, 299, 400, 404, 410, 418, 451, 499, 500, 599):
        answer = answers(front, backend, status, [("X-A", str(status))])
        assert answer.status == status
        assert answer.body == b"ok", answer
        assert answer.header("x-a") == str(status)


def check_location(front, backend, status):
    for place in ("/echo/elsewhere", "http://other.example/x?y"):
        answer = answers(front, backend, status, [("Location", place)])
        assert answer.status == status, answer
        assert answer.body == b"ok"
        assert answer.header("location") == place
    assert all(r.segments == ["headers"] for r in backend.requests)


@behaviour
def response_location(front, backend):
    """The client gets it, and the status it came with."""
    for status in (201, 301, 302, 303, 307, 308, 401):
        check_location(front, backend, status)


@behaviour
def response_location_200(front, backend):
    """The same, though such a Location means nothing."""
    check_location(front, backend, 200)


@behaviour
def response_of_the_server_itself(front, backend):
    """A backend gives the web server no orders."""
    fields = [
        ("Status", "418 No"),
        ("X-Sendfile", "/etc/hostname"),
        ("X-LIGHTTPD-send-file", "/etc/hostname"),
        ("X-Accel-Redirect", "/echo"),
        ("X-A", "1"),
    ]
    answer = answers(front, backend, 200, fields)
    assert answer.status == 200, answer
    assert answer.body == b"ok"
    assert answer.header("x-a") == "1"


@behaviour
def response_204(front, backend):
    answer = answers(front, backend, 204, [("X-A", "1")])
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("x-a") == "1"
    assert answer.header("content-length") is None


@behaviour
def response_304(front, backend):
    answer = answers(front, backend, 304, [("ETag", '"a"')])
    assert (answer.status, answer.body) == (304, b"")
    assert answer.header("etag") == '"a"'


@behaviour
def response_without_body_on_a_kept_connection(front, backend):
    """The next answer begins where it should."""
    backend.response_status, backend.response_headers = 204, []
    kept = {"Connection": "keep-alive"}
    data = client.encode_request("GET", "/headers", kept)
    data += client.encode_request("HEAD", "/echo/head", kept)
    data += client.encode_request("GET", "/status/304", kept)
    data += client.encode_request("GET", "/echo/last")
    raw = client.send_raw(front.address, data, timeout=front.patience).raw
    heads = [line for line in raw.split(b"\r\n") if b"HTTP/1.1 " in line]
    assert [line.split()[1] for line in heads] == [
        *(b"204", b"200", b"304", b"200")
    ], raw
    assert b'"/echo/last"' in raw


@behaviour
def response_chunked(front, _):
    answer = front.get("/chunked")
    assert (answer.status, answer.body) == (200, b"one two three")
    assert answer.complete


@behaviour
def response_until_close(front, _):
    answer = front.get("/unknown-length")
    assert answer.body == b"until the end"
    assert answer.complete


@behaviour
def response_content_length(front, _):
    answer = front.get("/status/200")
    assert answer.header("content-length") == str(len(answer.body))


@behaviour
def response_encoding_is_left_alone(front, backend):
    fields = [("Content-Encoding", "gzip"), ("X-A", "1")]
    answer = answers(front, backend, 200, fields)
    assert answer.body == b"ok"
    assert answer.header("content-encoding") == "gzip"


@behaviour
def response_8m(front, _):
    answer = front.get(f"/download/{8 * MIB}")
    assert answer.complete
    assert hashlib.blake2b(answer.body).hexdigest() == DIGEST


@behaviour
def response_early_hints_are_dropped(front, _):
    answer = front.get("/continue")
    assert answer.status == 200, answer
    assert answer.body == b"after the hints\n"


# ---- bodies ----


def check_sink(answer):
    assert answer.status == 200, answer
    assert answer.json() == {"bytes": len(UPLOAD), "blake2b": DIGEST}


@behaviour
def upload_8m(front, _):
    check_sink(front.request("POST", "/sink", body=UPLOAD))


@behaviour
def upload_8m_chunked(front, _):
    parts = [UPLOAD[i : i + 99991] for i in range(0, len(UPLOAD), 99991)]
    check_sink(
        front.request(
            "POST",
            "/sink",
            {"Transfer-Encoding": "chunked"},
            client.chunked(parts),
            timeout=front.patience,
        )
    )


@behaviour
def upload_chunked_empty(front, _):
    answer = front.request(
        "POST",
        "/sink",
        {"Transfer-Encoding": "chunked"},
        client.chunked([]),
        timeout=front.patience,
    )
    assert answer.status == 200, answer
    assert answer.json()["bytes"] == 0


@behaviour
def upload_empty(front, backend):
    answer = front.request("POST", "/echo/empty", body=b"")
    assert answer.status == 200, answer
    assert seen(backend, "/echo/empty").header("content-length") == "0"


def exchange_both_ways(front, target, body, patience):
    """Sends and receives at the same time."""
    with client.connect(front.address, patience) as s:

        def send():
            try:
                s.sendall(
                    client.encode_request(
                        "POST", target, {"Content-Length": str(len(body))}
                    )
                )
                s.sendall(body)
            except OSError:
                pass

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        try:
            return client.read_response(s)[0]
        finally:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sender.join(10)


@behaviour
def response_before_the_upload_ends(front, backend):
    """A large answer that is begun before the body is read: no deadlock."""
    size = 2 * MIB

    async def early(stream):
        await stream.head(200, [("Content-Length", str(size))])
        for at in range(0, size, len(BLOCK)):
            await stream.write(BLOCK)
        await stream.read_body()

    backend.on["/early"] = early
    answer = exchange_both_ways(front, "/early", UPLOAD, front.patience)
    assert answer.status == 200, answer
    assert len(answer.body) == size
    assert answer.body[:65536] == BLOCK


@behaviour
def response_echoes_the_upload(front, backend):
    """Both directions move at once, or one after the other."""

    async def mirror(stream):
        size = stream.request.header("content-length")
        fields = [("Content-Length", str(len(UPLOAD)))]
        await stream.head(200, fields if size else [])
        async for part in stream.body_parts():
            await stream.write(part)

    backend.on["/mirror"] = mirror
    answer = exchange_both_ways(front, "/mirror", UPLOAD, front.patience)
    assert answer.status == 200, answer
    assert hashlib.blake2b(answer.body).hexdigest() == DIGEST


@behaviour
def upload_refused_early(front, backend):
    """A small answer that does not wait for the body reaches the client."""

    async def refuse(stream):
        stream.keep = False
        await stream.answer(413, (), b"too much\n")

    backend.on["/refuse"] = refuse
    answer = exchange_both_ways(front, "/refuse", UPLOAD, front.patience)
    assert answer.status == 413, answer
    assert answer.body == b"too much\n"


@behaviour
def expect_100_continue(front, backend):
    body = b"after the 100"
    head = client.encode_request(
        "POST",
        "/echo/expect",
        {"Expect": "100-continue", "Content-Length": str(len(body))},
    )
    with client.connect(front.address, front.patience) as s:
        s.sendall(head)
        data = receive_until(s, b"\r\n\r\n")
        assert data.startswith(b"HTTP/1.1 100 "), data
        s.sendall(body)
        data = data.partition(b"\r\n\r\n")[2] + client.read_all(s)
    answer = client.Response(data)
    assert answer.status == 200, answer
    assert answer.json()["body"].encode() == body
    assert seen(backend, "/echo/expect").header("expect") is None


@behaviour
def first_event_at_once(front, backend):
    with client.connect(front.address, front.patience) as s:
        s.sendall(client.encode_request("GET", "/sse"))
        data = receive_until(s, b"data: first\n\n")
        assert b"second" not in data
        backend.release()
        answer = client.Response(data + client.read_all(s))
    assert answer.body == b"data: first\n\ndata: second\n\n"
    assert answer.header("content-type") == "text/event-stream"
    assert answer.complete


@behaviour
def first_bytes_at_once(front, backend):
    """The same for an answer that is no stream of events."""

    async def slow(stream):
        await stream.head(200, [("Content-Length", "11")])
        await stream.write(b"first ")
        await backend._gate.wait()
        await stream.write(b"later")

    backend.on["/slow"] = slow
    with client.connect(front.address, front.patience) as s:
        s.sendall(client.encode_request("GET", "/slow"))
        data = receive_until(s, b"first ")
        backend.release()
        answer = client.Response(data + client.read_all(s))
    assert answer.body == b"first later"


# ---- what breaks ----


def check_cut(answer, closed):
    """A client that would keep the connection sees that something is amiss."""
    if answer.status >= 500:
        assert answer.complete
    else:
        assert closed and not answer.complete, answer


def cut_after_the_first_bytes(front, backend, fields, part):
    async def half(stream):
        await stream.head(200, fields)
        await stream.write(part)
        await backend._gate.wait()
        stream.close()

    backend.on["/half"] = half
    kept = {"Connection": "keep-alive"}
    with client.connect(front.address, front.patience) as s:
        s.sendall(client.encode_request("GET", "/half", kept))
        data = receive_until(s, b"half")
        backend.release()
        check_cut(*client.read_response(s, data))


@behaviour
def cut_with_length(front, backend):
    fields = [("Content-Length", "1000")]
    cut_after_the_first_bytes(front, backend, fields, b"half of it")


@behaviour
def cut_chunked(front, backend):
    fields = [("Transfer-Encoding", "chunked")]
    part = b"a\r\nhalf of it\r\n"
    cut_after_the_first_bytes(front, backend, fields, part)


@behaviour
def cut_at_once(front, _):
    """Head, half of the body and the end come together."""
    kept = {"Connection": "keep-alive"}
    with client.connect(front.address, front.patience) as s:
        s.sendall(client.encode_request("GET", "/half-length", kept))
        check_cut(*client.read_response(s))


def log_of(front, path):
    return front.log.wait(1, lambda line: line["path"] == path)[0]


def leaves(backend, name):
    """A backend that says nothing, and whether it was left alone again."""
    left = []

    async def hold(stream):
        await stream.read_body()
        if await backend.is_left(stream):
            left.append(True)
        stream.close()

    backend.on["/" + name] = hold
    return left


@behaviour
def abort_while_waiting(front, backend):
    """A client that leaves before an answer frees the backend."""
    left = leaves(backend, "hold-wait")
    with client.connect(front.address) as s:
        s.sendall(client.encode_request("GET", "/hold-wait"))
        backend.wait_in_flight(1)
    until(lambda: left, "the backend is let go", front.patience)
    assert front.get("/echo").status == 200
    line = log_of(front, "/hold-wait")
    assert line["reason"] == "downstream_remote_disconnect", line


@behaviour
def abort_while_streaming(front, backend):
    """A client that leaves amid an answer frees the backend."""
    left = []

    async def flood(stream):
        await stream.head(200, [("Transfer-Encoding", "chunked")])
        try:
            while not backend.is_released():
                await stream.write(b"5\r\ntick\n\r\n")
                await backend.pause(0.02)
        except ConnectionError:
            left.append(True)
        stream.close()

    backend.on["/flood"] = flood
    with client.connect(front.address, front.patience) as s:
        s.sendall(client.encode_request("GET", "/flood"))
        receive_until(s, b"tick\n")
    until(lambda: left, "the backend is let go", front.patience)
    assert front.get("/echo").status == 200
    line = log_of(front, "/flood")
    assert line["reason"] == "downstream_remote_disconnect", line


@behaviour
def abort_while_uploading(front, backend):
    """Half a body is never taken for a whole one."""
    whole = []

    async def watch(stream):
        await stream.read_body()
        whole.append(stream.request)
        await stream.answer()

    backend.on["/watch"] = watch
    for headers in (
        {"Content-Length": "200000"},
        {"Transfer-Encoding": "chunked"},
    ):
        with client.connect(front.address) as s:
            head = client.encode_request("POST", "/watch", headers)
            s.sendall(head + b"186a0\r\n" + b"x" * 100000)
    # Requests that come later are through.
    assert [front.get("/echo").status for _ in range(3)] == [200] * 3
    until(
        lambda: backend.in_flight == 0, "no request is left", front.patience
    )
    assert not whole


# ---- many ----


@behaviour
def kept_connections_starve_nobody(front, backend):
    """More clients that keep their connections than there are workers."""
    kept = []
    data = client.encode_request("GET", "/echo", {"Connection": "keep-alive"})
    try:
        for _ in range(24):
            s = client.connect(front.address)
            kept.append(s)
            s.sendall(data)
            receive_until(s, b'"body": ""}')
        assert front.get("/echo").status == 200
        for s in kept:
            s.sendall(data)
            receive_until(s, b'"body": ""}')
    finally:
        for s in kept:
            s.close()


@behaviour
def requests_200_at_once(front, backend):
    n = 200
    sockets = [client.connect(front.address, 50) for _ in range(n)]
    try:
        for i, s in enumerate(sockets):
            s.sendall(client.encode_request("GET", f"/echo/{i}"))
        for i, s in enumerate(sockets):
            answer = client.Response(client.read_all(s))
            assert answer.status == 200, answer
            assert answer.json()["target"] == f"/echo/{i}"
    finally:
        for s in sockets:
            s.close()


@behaviour
def requests_pipelined(front, backend):
    kept = {"Connection": "keep-alive"}
    data = b"".join(
        client.encode_request("GET", f"/echo/{i}", kept) for i in range(4)
    )
    data += client.encode_request("GET", "/echo/last")
    raw = client.send_raw(front.address, data, timeout=front.patience).raw
    assert raw.count(b"HTTP/1.1 200") == 5, raw
    at = [raw.index(b'"/echo/%d"' % i) for i in range(4)]
    assert at == sorted(at)
