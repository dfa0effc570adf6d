"""The circuit breaker: when it opens, whom it lets through, when it closes."""

import pytest

from harness import fcgi
from harness.breaking import circuits, opened, statuses
from harness.config import ENV, routes, with_jwt, one_route
from harness.process import free_port
from harness.wait import until

BREAKER = {"failures": 3, "open_for": "60s"}


def test_it_opens_after_failures_and_spares_the_backend(scene, backend):
    backend.failing = True
    front = scene.behind(one_route(backend, breaker=BREAKER))
    assert statuses(front, 3, "/api/flaky") == [500] * 3
    answer = front.get("/api/flaky")
    assert answer.status == 503
    assert answer.json()["error"]
    assert front.log.of(answer)["reason"]
    assert len(backend.requests) == 3
    assert list(circuits(front).values()) == ["open"]
    health = front.get("/health").json()
    assert health["status"] in ("degraded", "unhealthy")


@pytest.mark.parametrize(
    "path, status",
    [("never", 504), ("reset", 503), ("malformed", 502), ("close", 503)],
)
def test_every_kind_of_failure_counts(scene, backend, path, status):
    front = scene.behind(
        one_route(backend, {"timeout": "200ms"}, breaker=BREAKER)
    )
    assert statuses(front, 3, f"/api/{path}") == [status] * 3
    n = len(backend.requests)
    assert front.get("/api/echo").status == 503
    assert len(backend.requests) == n


def test_refused_connections_count(scene, backend):
    config = routes(
        [{"path": "/api", "backend": f"http://127.0.0.1:{free_port()}"}],
        breaker=BREAKER,
    )
    front = scene.behind(config)
    reasons = [front.log.of(front.get("/api/x"))["reason"] for _ in range(4)]
    assert len(set(reasons[:3])) == 1
    assert reasons[3] != reasons[0]
    assert list(circuits(front).values()) == ["open"]


@pytest.mark.parametrize("query", ["a b", "a\tb", "a\x7fb"])
def test_a_target_that_no_request_line_carries_is_no_failure(
    scene, backend, query
):
    front = scene.behind(one_route(backend, breaker=BREAKER))
    address = front.gateway.address
    for _ in range(4):
        answer = fcgi.request(address, "GET", f"/api/status/200?{query}")
        assert answer.status == 400
    assert front.get("/api/status/200").status == 200
    assert len(backend.requests) == 1


@pytest.mark.parametrize("status", [200, 301, 400, 404, 429])
def test_answers_below_500_are_no_failures(scene, backend, status):
    front = scene.behind(one_route(backend, breaker=BREAKER))
    assert statuses(front, 6, f"/api/status/{status}") == [status] * 6
    assert list(circuits(front).values()) == ["closed"]


def test_only_failures_in_a_row_count(scene, backend):
    front = scene.behind(one_route(backend, breaker=BREAKER))
    for _ in range(3):
        assert statuses(front, 2, "/api/status/500") == [500] * 2
        assert front.get("/api/status/200").status == 200
    assert list(circuits(front).values()) == ["closed"]


def test_refusals_of_the_gateway_are_no_failures(scene, backend):
    config = with_jwt(backend, breaker=BREAKER)
    config["routes"].append(
        {
            "path": "/open",
            "backend": backend.url,
            "rate_limit": "1/300s",
            "methods": ["GET"],
        }
    )
    front = scene.behind(config, env=ENV)
    for _ in range(5):
        assert front.get("/api/x").status == 401
        assert front.request("PUT", "/open/x").status == 405
        assert front.get("/nowhere").status == 404
    assert statuses(front, 5, "/open/x") == [200] + [429] * 4
    assert set(circuits(front).values()) == {"closed"}


def test_one_bad_backend_does_not_close_the_way_to_another(scene, backend):
    bad = scene.backend()
    front = scene.behind(
        routes(
            [
                {"path": "/good", "backend": backend.url},
                {"path": "/bad", "backend": bad.url},
            ],
            breaker=BREAKER,
        )
    )
    assert statuses(front, 4, "/bad/status/500") == [500, 500, 500, 503]
    assert statuses(front, 4, "/good/x") == [200] * 4
    assert sorted(circuits(front).values()) == ["closed", "open"]


def test_a_probe_that_fails_opens_it_again(scene, backend):
    front = opened(scene, backend)
    n = len(backend.requests)
    until(
        lambda: front.get("/api/status/500").status == 500, "the probe fails"
    )
    assert len(backend.requests) == n + 1
    assert front.get("/api/status/200").status == 503
    assert len(backend.requests) == n + 1
    until(lambda: front.get("/api/status/200").status == 200, "the next works")
    assert list(circuits(front).values()) == ["closed"]


def test_a_breaker_stays_open_over_a_restart(scene, backend):
    config = one_route(backend, breaker=BREAKER)
    folder = scene.new_folder()
    first = scene.gateway(config, folder=folder)
    for _ in range(3):
        fcgi.request(first.address, "GET", "/api/status/500")
    scene.started.remove(first)
    first.stop()
    again = scene.gateway(config, folder=folder)
    assert fcgi.request(again.address, "GET", "/api/x").status == 503
    assert len(backend.requests) == 3


def test_failures_are_counted_over_all_processes(scene, backend):
    config = one_route(backend, breaker=BREAKER)
    folder = scene.new_folder()
    gateways = [
        scene.gateway(config, folder=folder, name=n) for n in ("a", "b", "c")
    ]
    for gateway in gateways:
        answer = fcgi.request(gateway.address, "GET", "/api/status/500")
        assert answer.status == 500
    for gateway in gateways:
        assert fcgi.request(gateway.address, "GET", "/api/x").status == 503
