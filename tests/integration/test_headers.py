"""Header fields and bodies, byte by byte, in both directions."""

import ipaddress
import re

import pytest

from harness import client, fcgi
from harness.config import one_route

EVERY_BYTE = bytes(range(256)) * 5


def seen(answer, name):
    fields = answer.json()["headers"]
    return [v for n, v in fields if n.lower() == name.lower()]


def test_end_to_end_fields_reach_the_backend(scene, backend):
    front = scene.behind(one_route(backend))
    fields = [
        ("Accept", "text/html, */*;q=0.1"),
        ("Accept-Encoding", "gzip, br"),
        ("Authorization", "Basic dTpw"),
        ("Cookie", "a=1; b=2"),
        ("Content-Type", "text/plain; charset=x"),
        ("If-None-Match", 'W/"x"'),
        ("Range", "bytes=0-5"),
        ("Referer", "http://a/b"),
        ("User-Agent", "test/1"),
        ("X-Binary", "caf\xe9 \x80\xff"),
        ("X-Custom-Thing", "a,b , c"),
    ]
    answer = front.request("POST", "/api/x", fields, b"body")
    for name, value in fields:
        assert seen(answer, name) == [value]
    assert seen(answer, "content-length") == ["4"]


def test_repeated_fields_reach_the_backend(scene, backend):
    front = scene.behind(one_route(backend), front="nginx")
    answer = front.get("/api/x", [("X-Two", "1"), ("X-Two", "2")])
    assert ", ".join(seen(answer, "x-two")) == "1, 2"


def test_response_fields_reach_the_client(scene, backend):
    backend.response_headers = [
        ("Content-Type", "text/x; charset=y"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2; HttpOnly"),
        ("Set-Cookie", "c=\xe9"),
        ("ETag", '"x"'),
        ("Cache-Control", "no-store"),
        ("X-Binary", "\xe9\xff"),
        ("X-Many", "1"),
        ("X-Many", "2"),
        ("WWW-Authenticate", 'Digest realm="r"'),
    ]
    front = scene.behind(one_route(backend))
    answer = front.get("/api/headers")
    for name in {n for n, _ in backend.response_headers}:
        sent = [v for n, v in backend.response_headers if n == name]
        assert ", ".join(answer.all(name)) == ", ".join(sent), name
    assert len(answer.all("set-cookie")) == 3


def test_hop_by_hop_fields_stop_here(scene, backend):
    backend.response_headers = [
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "x"),
        ("X-Hop", "secret"),
        ("Connection", "X-Hop"),
        ("X-End", "kept"),
    ]
    front = scene.behind(one_route(backend))
    answer = front.get(
        "/api/echo",
        {
            "Connection": "close, X-Named",
            "X-Named": "gone",
            "Keep-Alive": "timeout=5",
            "TE": "gzip",
            "X-Kept": "1",
        },
    )
    for name in ("x-named", "keep-alive", "te", "proxy-connection", "upgrade"):
        assert seen(answer, name) == [], name
    assert seen(answer, "x-kept") == ["1"]
    answer = front.get("/api/headers")
    for name in ("keep-alive", "proxy-connection", "x-hop"):
        assert answer.header(name) is None, name
    assert answer.header("x-end") == "kept"


def test_the_backend_cannot_steer_the_web_server(scene, backend):
    backend.response_headers = [
        ("Status", "500"),
        ("X-Accel-Redirect", "/etc/passwd"),
        ("X-Sendfile", "/etc/passwd"),
        ("X-LIGHTTPD-send-file", "/etc/passwd"),
        ("X-Sendfile2", "/etc/passwd 0-"),
    ]
    gateway = scene.gateway(one_route(backend))
    answer = fcgi.request(gateway.address, "GET", "/api/headers")
    assert answer.status == 200
    assert answer.body == b"ok"
    head = answer.out.partition(b"\r\n\r\n")[0].lower()
    for name in (b"x-accel", b"x-sendfile", b"x-lighttpd"):
        assert name not in head
    assert head.count(b"status:") == 1


def test_the_proxy_variable_is_dropped(scene, backend):
    gateway = scene.gateway(one_route(backend))
    answer = fcgi.request(
        gateway.address, "GET", "/api/x", ("HTTP_PROXY", "http://evil/")
    )
    assert b"evil" not in answer.body


def test_the_backend_learns_who_asked_for_what(scene, backend):
    front = scene.behind(one_route(backend))
    answer = front.get("/api/x", {"Host": "shop.example:8080"})
    # A client on this machine has the machine's address, as in Envoy.
    (client,) = seen(answer, "x-forwarded-for")
    assert ipaddress.ip_address(client).version == 4
    assert seen(answer, "x-forwarded-proto") == ["http"]
    assert seen(answer, "x-forwarded-host") == ["shop.example:8080"]


def test_a_request_id_is_made_and_echoed(scene, backend):
    front = scene.behind(one_route(backend))
    first, second = front.get("/api/x"), front.get("/api/x")
    ids = [a.header("x-request-id") for a in (first, second)]
    assert all(re.fullmatch(r"[0-9a-f-]{36}", i) for i in ids), ids
    assert ids[0] != ids[1]
    assert seen(first, "x-request-id") == [ids[0]]


def test_a_request_id_of_the_client_is_kept(scene, backend):
    front = scene.behind(one_route(backend))
    answer = front.get("/api/x", {"X-Request-Id": "mine-1"})
    assert seen(answer, "x-request-id") == ["mine-1"]
    assert answer.all("x-request-id") == ["mine-1"]
    assert (
        front.get("/none", {"X-Request-Id": "mine-2"}).header("x-request-id")
        == "mine-2"
    )


def test_bodies_pass_byte_by_byte(scene, backend):
    front = scene.behind(one_route(backend))
    answer = front.request("POST", "/api/x", body=EVERY_BYTE)
    assert answer.json()["body"].encode("latin-1") == EVERY_BYTE

    async def every_byte(stream):
        await stream.answer(200, (), EVERY_BYTE)

    backend.on["/every-byte"] = every_byte
    assert front.get("/api/every-byte").body == EVERY_BYTE


def test_json_is_not_written_anew(scene, backend):
    front = scene.behind(one_route(backend))
    text = b'{ "b" : 1.0,\n\t"a":1e2, "a": "\\u00e9" }'
    answer = front.request(
        "POST", "/api/x", {"Content-Type": "application/json"}, text
    )
    assert answer.json()["body"].encode("latin-1") == text


@pytest.mark.parametrize("front", ["lighttpd", "nginx", "apache"])
def test_chunked_uploads_arrive_whole(scene, backend, front):
    front = scene.behind(one_route(backend), front=front)
    parts = [b"a" * 10, EVERY_BYTE, b"z" * 70000]
    answer = front.request(
        "PUT",
        "/api/x",
        {"Transfer-Encoding": "chunked"},
        client.chunked(parts),
    )
    assert answer.json()["body"].encode("latin-1") == b"".join(parts)


def test_an_empty_post_has_a_length(scene, backend):
    front = scene.behind(one_route(backend))
    answer = front.request("POST", "/api/x", {"Content-Length": "0"})
    assert answer.json()["body"] == ""
    assert seen(answer, "content-length") == ["0"]
    assert seen(answer, "transfer-encoding") == []


def test_head_has_the_fields_of_get_and_no_body(scene, backend):
    front = scene.behind(one_route(backend))
    answer = front.request("HEAD", "/api/status/200")
    assert answer.status == 200
    assert answer.header("content-length") == "11"
    assert answer.body == b""
    assert backend.requests[-1].method == "HEAD"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_end_at_once(scene, backend, status):
    front = scene.behind(one_route(backend))
    answer = front.get(f"/api/status/{status}")
    assert answer.status == status
    assert answer.body == b""


@pytest.mark.parametrize(
    "path, body",
    [
        ("chunked", b"one two three"),
        ("unknown-length", b"until the end"),
        ("continue", b"after the hints\n"),
    ],
)
def test_every_framing_of_an_answer_is_understood(scene, backend, path, body):
    front = scene.behind(one_route(backend))
    answer = front.get(f"/api/{path}")
    assert (answer.status, answer.body) == (200, body)
    assert answer.complete


@pytest.mark.parametrize("status", [201, 206, 301, 404, 418, 500, 599])
def test_the_status_of_the_backend_is_passed_on(scene, backend, status):
    front = scene.behind(one_route(backend))
    answer = front.get(f"/api/status/{status}")
    assert answer.status == status
    assert answer.body == b"status %d\n" % status


def test_redirects_are_not_followed(scene, backend):
    backend.response_headers = [("Location", "http://elsewhere.example/x")]
    backend.response_status = 302
    front = scene.behind(one_route(backend))
    answer = front.get("/api/headers")
    assert answer.status == 302
    assert answer.header("location") == "http://elsewhere.example/x"
    assert len(backend.requests) == 1


def test_compressed_bodies_stay_compressed(scene, backend):
    squeezed = bytes.fromhex("1f8b0800000000000003") + b"not really gzip"

    async def gzip(stream):
        await stream.answer(200, [("Content-Encoding", "gzip")], squeezed)

    backend.on["/gzip"] = gzip
    front = scene.behind(one_route(backend))
    answer = front.get("/api/gzip", {"Accept-Encoding": "gzip"})
    assert answer.body == squeezed
    assert answer.header("content-encoding") == "gzip"
