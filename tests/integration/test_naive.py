"""Defects of naive gateways, each of which must not appear here."""

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import servers
from harness.breaking import circuits, opened, statuses
from harness.config import ENV, one_route, routes, with_jwt
from harness.tokens import bearer, hmac_token
from harness.wait import until


def test_errors_are_not_swallowed_so_the_breaker_opens(scene, backend):
    front = scene.behind(
        one_route(backend, breaker={"failures": 2, "open_for": "60s"})
    )
    for path in ("reset", "status/503"):
        assert front.get(f"/api/{path}").status == 503
    assert front.get("/api/x").status == 503
    assert len(backend.requests) == 2


def test_half_open_does_not_let_everybody_through(scene, backend):
    front = opened(scene, backend)
    with ThreadPoolExecutor(24) as pool:
        first = None

        def probe_is_out():
            nonlocal first
            if first is None or first.done():
                first = pool.submit(front.get, "/api/wait")
            return backend.in_flight == 1

        until(probe_is_out, "a probe reaches the backend")
        n = len(backend.requests)
        others = Counter(
            pool.map(lambda _: front.get("/api/wait").status, range(60))
        )
        assert others == {503: 60}
        assert len(backend.requests) == n
        assert list(circuits(front).values()) == ["half-open"]
        backend.release()
        assert first.result().status == 200
    assert list(circuits(front).values()) == ["closed"]
    assert statuses(front, 5, "/api/status/200") == [200] * 5


def test_a_sliding_window_is_not_a_fixed_one(scene, backend):
    """Asks as fast as it can for three windows."""
    limit, window = 8, 1.0
    front = scene.behind(one_route(backend, {"rate_limit": f"{limit}/1s"}))
    passed, end = [], time.monotonic() + 3 * window
    while time.monotonic() < end:
        sent = time.monotonic()
        if front.get("/api/x").status == 200:
            passed.append((sent, time.monotonic()))
    assert len(passed) >= 2 * limit
    for first, last in zip(passed, passed[limit:]):
        assert last[1] - first[0] >= window, passed


def test_routes_do_not_share_one_counter(scene, backend):
    front = scene.behind(
        routes(
            [
                {
                    "path": "/few",
                    "backend": backend.url,
                    "rate_limit": "1/300s",
                },
                {
                    "path": "/many",
                    "backend": backend.url,
                    "rate_limit": "9/300s",
                },
            ]
        )
    )
    got = [front.get("/many/x").status for _ in range(9)]
    assert got == [200] * 9
    assert front.get("/few/x").status == 200
    assert front.get("/few/x").status == 429


def test_the_map_of_clients_is_bounded(scene, backend):
    limit = {"limit": "1/300s", "key": "header:X-Key"}
    front = scene.behind(one_route(backend, {"rate_limit": limit}))
    for i in range(200):
        front.get("/api/x", {"X-Key": f"warm-{i}"})
    size = os.path.getsize(front.gateway.state)
    before = front.gateway.resident_kib()
    for i in range(5000):
        front.get("/api/x", {"X-Key": f"client-{i}"})
    assert os.path.getsize(front.gateway.state) == size
    # The mapped file itself may become resident, and nothing else.
    grown = front.gateway.resident_kib() - before
    assert grown * 1024 < size + 2 * 1024 * 1024


def test_users_is_no_prefix_of_usersevil(scene, backend):
    front = scene.behind(
        routes([{"path": "/api/users", "backend": backend.url}])
    )
    for target in (
        "/api/usersevil",
        "/api/users-x",
        "/api/users%20",
        "/api/user",
    ):
        assert front.get(target).status == 404, target
    assert not backend.requests


def test_more_than_the_content_type_is_forwarded(scene, backend):
    front = scene.behind(one_route(backend))
    headers = {"Accept-Language": "de", "X-Own": "1", "Content-Type": "a/b"}
    fields = front.request("POST", "/api/x", headers, b"1").json()["headers"]
    names = {n.lower(): v for n, v in fields}
    for name, value in headers.items():
        assert names[name.lower()] == value


def test_bodies_are_neither_decoded_nor_written_anew(scene, backend):
    front = scene.behind(one_route(backend))
    for kind, body in [
        ("application/json", b'{"a":1,   "a":2}'),
        ("application/json", b"not json at all"),
        ("text/plain; charset=utf-8", b"\xff\xfe\x00\x80"),
        ("application/x-www-form-urlencoded", b"a=%zz&+&&a"),
    ]:
        answer = front.request("POST", "/api/x", {"Content-Type": kind}, body)
        assert answer.json()["body"].encode("latin-1") == body


def test_declared_transforms_are_applied(scene, backend):
    front = scene.behind(
        one_route(
            backend,
            transforms={
                "request": [
                    {"add": "X-Gateway", "value": "sallyport"},
                    {"remove": "X-Debug"},
                    {"rewrite": "^/v1/(.*)", "to": "/\\1"},
                ],
                "response": [{"set": "X-Set", "value": "1"}],
            },
        )
    )
    answer = front.get("/api/v1/x", {"X-Debug": "1"})
    fields = {n.lower(): v for n, v in answer.json()["headers"]}
    assert fields["x-gateway"] == "sallyport"
    assert "x-debug" not in fields
    assert answer.json()["target"] == "/x"
    assert answer.header("x-set") == "1"


def test_options_is_no_preflight_by_itself(scene, backend):
    front = scene.behind(one_route(backend, cors={"origins": ["http://a"]}))
    assert front.request("OPTIONS", "/api/x").json()["method"] == "OPTIONS"
    answer = front.request("OPTIONS", "/nowhere", {"Origin": "http://a"})
    assert answer.status == 404


@pytest.mark.parametrize(
    "secret", ["", "secret", "changeme", "your-secret-key", "default"]
)
def test_there_is_no_default_secret(scene, backend, run, tmp_path, secret):
    path = servers.write(str(tmp_path / "c.yaml"), with_jwt(backend))
    assert run("check", path).returncode == 78
    front = scene.behind(with_jwt(backend), env=ENV)
    token = hmac_token(secret=secret)
    assert front.get("/api/x", bearer(token)).status == 401
