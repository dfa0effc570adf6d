"""The same requests behind every web server, with the files of conf/."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import client
from harness.config import ENV, with_jwt
from harness.tokens import bearer, hmac_token

FRONTS = [
    "lighttpd",
    "lighttpd-spawned",
    "lighttpd-cgi",
    "apache",
    "apache-fcgid",
    "nginx",
    "caddy",
    "haproxy",
]
PROCESS_EACH = ("lighttpd-cgi", "apache-fcgid")


@pytest.fixture(params=FRONTS)
def front(scene, backend, request):
    config = with_jwt(
        backend,
        {"rate_limit": "40/300s"},
        jwt={"claims": {"sub": "X-User-Id"}},
        cors={"origins": ["http://a.example"]},
        breaker={"failures": 3, "open_for": "60s"},
        transforms={"response": [{"set": "X-Set", "value": "1"}]},
    )
    config["routes"].append(
        {"path": "/open", "backend": backend.url, "timeout": "20s"}
    )
    made = scene.behind(config, front=request.param, env=ENV)
    made.kind = request.param
    return made


TOKEN = bearer(hmac_token())


def test_a_request_passes_with_its_target_as_written(front):
    answer = front.get("/api/a%2Fb/c%20d?e=%2f&f", TOKEN)
    assert answer.status in (200, 400), answer
    answer = front.get("/api/c%20d/%C3%A9?e=%2f&f=//../", TOKEN)
    assert answer.status == 200
    assert answer.json()["target"] == "/c%20d/%C3%A9?e=%2f&f=//../"
    assert answer.header("x-set") == "1"
    assert front.log.of(answer)["status"] == 200


def test_a_body_passes(front):
    body = bytes(range(256)) * 400
    answer = front.request("PUT", "/api/x", TOKEN, body)
    assert answer.json()["body"].encode("latin-1") == body


def test_a_body_of_a_megabyte_passes_both_ways(front):
    answer = front.request("POST", "/open/sink", {}, b"x" * 1_000_000)
    assert answer.json()["bytes"] == 1_000_000
    answer = front.get("/open/download/1000000")
    assert len(answer.body) == 1_000_000
    assert answer.complete


def test_head_and_empty_answers_are_right(front):
    answer = front.request("HEAD", "/open/status/200")
    assert (answer.status, answer.body) == (200, b"")
    assert front.get("/open/status/204").body == b""
    assert front.get("/open/chunked").body == b"one two three"


def test_refusals_are_the_same(front, backend):
    answer = front.get("/api/x")
    assert answer.status == 401
    assert answer.header("www-authenticate").startswith("Bearer")
    assert answer.json()["error"]
    assert front.get("/nowhere").status == 404
    answer = front.get("/api/x", {"Origin": "http://a.example"})
    assert answer.header("access-control-allow-origin") == "http://a.example"
    assert not backend.requests


def test_a_limit_holds_over_all_processes(front, backend):
    with ThreadPoolExecutor(8) as pool:
        counts = Counter(
            pool.map(lambda _: front.get("/api/x", TOKEN).status, range(60))
        )
    assert counts == {200: 40, 429: 20}
    assert len(backend.requests) == 40
    answer = front.get("/api/x", TOKEN)
    assert answer.status == 429
    assert answer.header("retry-after")


def test_a_breaker_holds_over_all_processes(front, backend):
    with ThreadPoolExecutor(3) as pool:
        got = pool.map(
            lambda _: front.get("/open/status/500").status, range(3)
        )
        assert list(got) == [500] * 3
    assert [front.get("/open/x").status for _ in range(4)] == [503] * 4
    assert len(backend.requests) == 3


def test_requests_run_at_once(front, backend):
    n = 4 if front.kind in PROCESS_EACH else 16
    if front.kind == "apache-fcgid":
        # It starts its processes one by one, when all are busy.
        n = 2
    with ThreadPoolExecutor(n) as pool:
        waiting = [pool.submit(front.get, "/open/wait") for _ in range(n)]
        backend.wait_in_flight(n)
        backend.release()
        assert {w.result().body for w in waiting} == {b"released\n"}


def test_requests_on_a_kept_connection_are_answered(front):
    request = client.encode_request(
        "GET", "/open/x", {"Connection": "keep-alive"}
    )
    last = client.encode_request("GET", "/open/last")
    with client.connect(front.address) as s:
        s.sendall(request + request + last)
        data = client.read_all(s)
    assert data.count(b"HTTP/1.1 200") == 3
    assert b'"/last"' in data


def test_no_spelling_of_a_path_passes_by_the_token(front, backend):
    for target in (
        "/open/../api/x",
        "/open/%2e%2e/api/x",
        "/open/.%2E/api/x",
        "//api/x",
        "/./api/x",
        "/%61pi/x",
        "/api//x",
        "http://other.example/api/x",
    ):
        assert front.get(target).status in (400, 401, 404), target
    assert not backend.requests
    # What is no path of ours is nobody's.
    assert front.get("/open%2f..%2fapi/x").status in (400, 404)
    assert not backend.requests


def test_no_spelling_of_an_identity_header_reaches_the_backend(front, backend):
    forged = [
        ("x_user-id", "admin"),
    ]
    for i in range(len(forged)):
        answer = front.get("/api/x", {**TOKEN, **dict(forged[i : i + 2])})
        if answer.status == 400:  # the web server itself minds
            continue
        assert answer.status == 200, answer
        for name, value in answer.json()["headers"]:
            if name.lower().replace("_", "-") == "x-user-id":
                assert value != "admin", (name, forged[i])
