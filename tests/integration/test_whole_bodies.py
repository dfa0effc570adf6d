"""Bodies that a filter waits for, and answers that a filter delays."""

import hashlib
import time

import pytest

from harness import client, fcgi
from harness.config import envoy, filter_of
from harness.wait import until

LIMIT = 1 << 20
BUFFER = filter_of("buffer", "buffer.v3.Buffer", max_request_bytes=LIMIT)
FRONTS = ["lighttpd", "apache", "nginx"]


def text_of(n):
    return (b"0123456789abcdef" * (n // 16 + 1))[:n]


def told(body):
    return {"bytes": len(body), "blake2b": hashlib.blake2b(body).hexdigest()}


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 300000, LIMIT])
def test_a_body_within_the_limit_comes_through(scene, backend, front, size):
    front = scene.behind(envoy(backend, filters=[BUFFER]), front=front)
    body = text_of(size)
    answer = front.request("POST", "/sink", body=body)
    assert answer.json() == told(body)
    assert backend.requests[0].header("content-length") == str(size)


@pytest.mark.parametrize("front", FRONTS)
def test_a_longer_body_is_refused(scene, backend, front):
    front = scene.behind(envoy(backend, filters=[BUFFER]), front=front)
    for size in (LIMIT + 1, 3 * LIMIT):
        answer = front.request("POST", "/sink", body=text_of(size))
        assert answer.status == 413
        assert answer.body == b"Payload Too Large"
    assert not backend.requests
    body = text_of(LIMIT)
    assert front.request("POST", "/sink", body=body).json() == told(body)


def test_a_body_in_chunks_has_a_length_behind_the_filter(scene, backend):
    front = scene.behind(envoy(backend, filters=[BUFFER]), front="apache")
    parts = [text_of(n) for n in (1, 70000, 3, 200000)]
    with client.connect(front.address) as s:
        s.sendall(
            client.encode_request(
                "POST", "/sink", {"Transfer-Encoding": "chunked"}
            )
            + client.chunked(parts)
        )
        answer = client.Response(client.read_all(s))
    assert answer.json() == told(b"".join(parts))
    request = backend.requests[0]
    assert request.header("content-length") == "270004"
    assert request.header("transfer-encoding") is None


def test_nothing_is_forwarded_before_the_body_is_whole(scene, backend):
    front = scene.behind(envoy(backend, filters=[BUFFER]), front="apache")
    with client.connect(front.address) as s:
        s.sendall(
            client.encode_request("POST", "/sink", {"Content-Length": "200000"})
            + text_of(150000)
        )
        # Another request is served meanwhile.
        assert front.get("/echo").status == 200
        assert len(backend.requests) == 1
        s.sendall(text_of(200000)[150000:])
        answer = client.Response(client.read_all(s))
    assert answer.json() == told(text_of(200000))


def test_many_waiting_bodies_take_no_more_than_they_may(scene, backend):
    """Each in bounded memory; given back when the clients go away."""
    front = scene.behind(envoy(backend, filters=[BUFFER]), front="apache")
    waiting = []
    for _ in range(20):
        s = client.connect(front.address)
        s.sendall(
            client.encode_request(
                "POST", "/sink", {"Content-Length": str(LIMIT)}
            )
            + text_of(LIMIT - 1)
        )
        waiting.append(s)
    assert front.get("/echo").status == 200
    for s in waiting:
        s.close()
    body = text_of(LIMIT)
    assert front.request("POST", "/sink", body=body).json() == told(body)
    assert len(backend.requests) == 2


def fault(seconds, **more):
    return filter_of(
        "fault",
        "fault.v3.HTTPFault",
        delay={
            "fixed_delay": f"{seconds}s",
            "percentage": {"numerator": 100},
        },
        headers=[{"name": "x-late", "present_match": True}],
        **more,
    )


def test_a_delay_holds_only_its_own_request(scene, backend):
    front = scene.behind(envoy(backend, filters=[fault(3)]), front="apache")
    with client.connect(front.address) as s:
        begin = time.monotonic()
        s.sendall(client.encode_request("GET", "/echo", {"X-Late": "1"}))
        assert front.get("/echo").status == 200
        assert time.monotonic() - begin < 3
        assert len(backend.requests) == 1
        answer = client.Response(client.read_all(s))
        assert time.monotonic() - begin >= 3
    assert answer.status == 200
    assert len(backend.requests) == 2


def test_who_leaves_during_a_delay_is_not_served(scene, backend):
    """Nor does the fault stay active, of which one is allowed."""
    gateway = scene.gateway(
        envoy(backend, filters=[fault(5, max_active_faults=1)])
    )
    late = ("HTTP_X_LATE", "1")
    slow = []

    def is_delayed():
        begin = time.monotonic()
        assert fcgi.request(gateway.address, "GET", "/echo", late).status
        return time.monotonic() - begin > 2

    def another_is_delayed():
        slow.append(fcgi.connect(gateway.address))
        slow[-1].sendall(fcgi.encode(fcgi.params_for("GET", "/slow", late)))
        return not is_delayed()

    until(another_is_delayed, "one is delayed, the next one is not", 60)
    slow[-1].close()
    until(is_delayed, "the next one is delayed instead", 60)
    served = [r for r in backend.requests if r.segments == ["slow"]]
    assert len(served) == len(slow) - 1
