"""Bodies of any size in bounded memory.

MIB in the environment is the size moved, 256 unless given.
"""

import hashlib
import json
import os

import pytest

from harness import client, servers
from harness.backend import BLOCK
from harness.config import one_route
from harness.wait import until

SIZE = int(os.environ.get("MIB", "256")) << 20
LIMIT_KIB = 32 << 10
STREAMED_UPLOADS = "server.stream-request-body = 2\n"
WITH_SANITIZERS = (
    b"__asan_init" in open(servers.PROGRAM, "rb").read()
    if (os.path.exists(servers.PROGRAM))
    else False
)


def start(scene, backend, front):
    config = one_route(backend, {"timeout": "170s"})
    if front == "lighttpd":
        gateway = scene.gateway(config)
        return scene.keep(servers.behind_lighttpd(gateway, STREAMED_UPLOADS))
    return scene.behind(config, front=front)


def check_memory(front):
    if not WITH_SANITIZERS:
        assert front.gateway.resident_kib(peak=True) < LIMIT_KIB


def receive_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        part = s.recv(1 << 16)
        assert part, data
        data += part
    return data.partition(b"\r\n\r\n")


@pytest.mark.parametrize("front", ["lighttpd", "apache"])
def test_a_large_upload_streams(scene, backend, front):
    front = start(scene, backend, front)
    digest = hashlib.blake2b()
    with client.connect(front.address, 170) as s:
        s.sendall(
            client.encode_request(
                "POST", "/api/sink", {"Content-Length": str(SIZE)}
            )
        )
        left = SIZE
        while left:
            part = BLOCK[: min(left, len(BLOCK))]
            digest.update(part)
            s.sendall(part)
            left -= len(part)
        answer = client.Response(client.read_all(s))
    assert answer.json() == {"bytes": SIZE, "blake2b": digest.hexdigest()}
    check_memory(front)


@pytest.mark.parametrize("front", ["lighttpd", "apache", "nginx"])
def test_a_large_download_streams(scene, backend, front):
    front = start(scene, backend, front)
    with client.connect(front.address, 170) as s:
        s.sendall(client.encode_request("GET", f"/api/download/{SIZE}"))
        head, _, body = receive_head(s)
        assert b" 200 " in head
        digest, n = hashlib.blake2b(body), len(body)
        while part := s.recv(1 << 18):
            digest.update(part)
            n += len(part)
    assert n == SIZE
    expected = hashlib.blake2b()
    for at in range(0, SIZE, len(BLOCK)):
        expected.update(BLOCK[: min(SIZE - at, len(BLOCK))])
    assert digest.digest() == expected.digest()
    check_memory(front)


def test_a_client_that_does_not_read_slows_the_backend_down(scene, backend):
    """The backend cannot get rid of more than what buffers hold."""
    sent = 0

    async def flood(stream):
        nonlocal sent
        await stream.head(200, [("Content-Length", str(1 << 30))])
        while True:
            await stream.write(BLOCK)
            sent += len(BLOCK)

    backend.on["/flood"] = flood
    front = start(scene, backend, "lighttpd")
    with client.connect(front.address) as s:
        s.sendall(client.encode_request("GET", "/api/flood"))
        receive_head(s)
        last, calm = -1, 0

        def stands_still():
            nonlocal last, calm
            calm = calm + 1 if sent == last else 0
            last = sent
            return calm > 100

        until(stands_still, "the backend is stopped")
        assert sent < 64 << 20
        assert front.get("/api/echo").status == 200
        check_memory(front)


def test_the_first_event_of_a_stream_comes_before_the_second(scene, backend):
    for name in ("lighttpd", "nginx", "apache"):
        front = scene.behind(one_route(backend, {"timeout": "0s"}), front=name)
        with client.connect(front.address) as s:
            s.sendall(client.encode_request("GET", "/api/sse"))
            data = b""
            while b"data: first\n\n" not in data:
                part = s.recv(4096)
                assert part, data
                data += part
            assert b"second" not in data
            backend.release()
            data += client.read_all(s)
        answer = client.Response(data)
        assert answer.body == b"data: first\n\ndata: second\n\n"
        assert answer.complete
        backend.hold()


def test_an_upload_reaches_the_backend_while_it_is_sent(scene, backend):
    """Through a web server that streams requests."""
    came = []

    async def watch(stream):
        async for part in stream.body_parts():
            came.append(len(part))
        await stream.answer(200, (), json.dumps(sum(came)).encode())

    backend.on["/watch"] = watch
    front = start(scene, backend, "apache")
    with client.connect(front.address) as s:
        s.sendall(
            client.encode_request(
                "POST", "/api/watch", {"Content-Length": "200000"}
            )
        )
        s.sendall(b"x" * 100000)
        until(lambda: sum(came) > 50000, "the first part is there")
        s.sendall(b"x" * 100000)
        assert client.Response(client.read_all(s)).json() == 200000


def test_a_client_that_breaks_off_its_upload_is_not_taken_for_complete(
    scene, backend
):
    ended = []

    async def watch(stream):
        try:
            await stream.read_body()
            ended.append("complete")
        except Exception:
            ended.append("broken off")
            raise
        await stream.answer(200, (), b"x")

    backend.on["/watch"] = watch
    front = start(scene, backend, "apache")
    with client.connect(front.address) as s:
        s.sendall(
            client.encode_request(
                "POST", "/api/watch", {"Transfer-Encoding": "chunked"}
            )
            + b"5\r\nhello\r\n"
        )
        backend.wait_in_flight(1)
    until(lambda: ended, "the backend sees the end")
    assert ended == ["broken off"]
