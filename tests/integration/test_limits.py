"""Rate limits: exact, shared, and about the right client."""

import os
import re
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from harness import fcgi
from harness.config import ENV, one_route, routes, with_jwt
from harness.process import is_alive
from harness.tokens import bearer, claims, hmac_token
from harness.wait import until


def statuses(front, n, target="/api/x", headers=()):
    return [front.get(target, headers).status for _ in range(n)]


def test_what_is_over_the_limit_is_429(scene, backend):
    front = scene.behind(one_route(backend, {"rate_limit": "3/60s"}))
    assert statuses(front, 3) == [200] * 3
    answer = front.get("/api/x")
    assert answer.status == 429
    assert 1 <= int(answer.header("retry-after")) <= 60
    assert answer.header("ratelimit")
    assert re.search(r"\b60\b", answer.header("ratelimit-policy"))
    assert re.search(r"\b3\b", answer.header("ratelimit-policy"))
    assert answer.json()["error"]
    assert front.log.of(answer)["reason"]
    assert len(backend.requests) == 3


def test_a_good_answer_tells_what_is_left(scene, backend):
    front = scene.behind(one_route(backend, {"rate_limit": "3/60s"}))
    texts = [front.get("/api/x").header("ratelimit") for _ in range(3)]
    left = [
        int(re.search(r"r=(\d+)|remaining=(\d+)", t).group(0).split("=")[1])
        for t in texts
    ]
    assert left == [2, 1, 0]


def test_routes_with_different_limits_have_counters_of_their_own(
    scene, backend
):
    front = scene.behind(
        routes(
            [
                {"path": "/a", "backend": backend.url, "rate_limit": "2/60s"},
                {"path": "/b", "backend": backend.url, "rate_limit": "5/60s"},
                {"path": "/c", "backend": backend.url},
            ]
        )
    )
    assert statuses(front, 4, "/b/x") == [200] * 4
    assert statuses(front, 3, "/a/x") == [200, 200, 429]
    assert statuses(front, 2, "/b/x") == [200, 429]
    assert statuses(front, 9, "/c/x") == [200] * 9


def test_the_wait_that_a_429_names_is_long_enough(scene, backend):
    front = scene.behind(one_route(backend, {"rate_limit": "1/2s"}))
    assert front.get("/api/x").status == 200
    refused = front.get("/api/x")
    start = time.monotonic()
    until(lambda: front.get("/api/x").status == 200, "the next one passes")
    assert time.monotonic() - start <= int(refused.header("retry-after")) + 0.5


def many_at_once(front, n, threads=16):
    with ThreadPoolExecutor(threads) as pool:
        return Counter(
            pool.map(lambda _: front.get("/api/x").status, range(n))
        )


def test_the_limit_is_exact_over_four_processes(scene, backend):
    front = scene.behind(
        one_route(backend, {"rate_limit": "100/300s"}), workers=4
    )
    assert many_at_once(front, 300) == {200: 100, 429: 200}
    assert len(backend.requests) == 100


def test_two_gateways_on_one_state_file_share_a_limit(scene, backend):
    config = one_route(backend, {"rate_limit": "10/300s"})
    folder = scene.new_folder()
    first = scene.gateway(config, folder=folder, name="first")
    second = scene.gateway(config, folder=folder, name="second")
    counts = Counter(
        fcgi.request(gateway.address, "GET", "/api/x").status
        for _ in range(8)
        for gateway in (first, second)
    )
    assert counts == {200: 10, 429: 6}


def test_limits_survive_a_restart(scene, backend):
    config = one_route(backend, {"rate_limit": "5/300s"})
    folder = scene.new_folder()
    first = scene.gateway(config, folder=folder)
    for _ in range(5):
        assert fcgi.request(first.address, "GET", "/api/x").status == 200
    scene.started.remove(first)
    first.stop()
    again = scene.gateway(config, folder=folder)
    assert fcgi.request(again.address, "GET", "/api/x").status == 429


def test_limits_survive_a_killed_worker(scene, backend):
    front = scene.behind(one_route(backend, {"rate_limit": "5/300s"}))
    assert statuses(front, 5) == [200] * 5
    (old,) = front.gateway.workers()
    os.kill(old, signal.SIGKILL)
    until(lambda: not is_alive(old), "it is gone")
    until(lambda: front.gateway.workers() not in ([], [old]), "it is replaced")
    assert until(lambda: front.get("/api/x").status, "an answer") == 429


def asks(gateway, address, *more):
    params = [
        p
        for p in fcgi.params_for("GET", "/api/x", *more)
        if p[0] != "REMOTE_ADDR"
    ] + [("REMOTE_ADDR", address)]
    from harness.client import connect

    with connect(gateway.address) as s:
        s.sendall(fcgi.encode(params))
        return fcgi.read_answer(s).status


def test_clients_are_told_apart_by_address(scene, backend):
    gateway = scene.gateway(one_route(backend, {"rate_limit": "1/300s"}))
    assert asks(gateway, "192.0.2.1") == 200
    assert asks(gateway, "192.0.2.1") == 429
    assert asks(gateway, "192.0.2.2") == 200


def test_one_ipv6_network_is_one_client(scene, backend):
    gateway = scene.gateway(one_route(backend, {"rate_limit": "1/300s"}))
    assert asks(gateway, "2001:db8:1:2::1") == 200
    assert asks(gateway, "2001:db8:1:2:ffff::9") == 429
    assert asks(gateway, "2001:db8:1:3::1") == 200


def test_a_client_cannot_choose_its_address(scene, backend):
    front = scene.behind(one_route(backend, {"rate_limit": "2/300s"}))
    got = [
        front.get("/api/x", {"X-Forwarded-For": f"10.0.0.{i}"}).status
        for i in range(4)
    ]
    assert got == [200, 200, 429, 429]


def test_a_limit_may_count_by_header(scene, backend):
    limit = {"limit": "1/300s", "key": "header:X-Key"}
    front = scene.behind(one_route(backend, {"rate_limit": limit}))
    assert front.get("/api/x", {"X-Key": "a"}).status == 200
    assert front.get("/api/x", {"X-Key": "a"}).status == 429
    assert front.get("/api/x", {"X-Key": "b"}).status == 200


def test_a_limit_may_count_by_claim(scene, backend):
    limit = {"limit": "1/300s", "key": "claim:sub"}
    front = scene.behind(with_jwt(backend, {"rate_limit": limit}), env=ENV)
    alice, bob = (bearer(hmac_token(claims(sub=s))) for s in ("alice", "bob"))
    assert statuses(front, 2, headers=alice) == [200, 429]
    assert statuses(front, 2, headers=bob) == [200, 429]


def test_refused_tokens_do_not_reach_the_limit_of_others(scene, backend):
    limit = {"limit": "2/300s", "key": "claim:sub"}
    front = scene.behind(with_jwt(backend, {"rate_limit": limit}), env=ENV)
    forged = bearer(
        hmac_token(claims(sub="alice"), secret="not the secret at all")
    )
    assert set(statuses(front, 5, headers=forged)) == {401}
    good = bearer(hmac_token(claims(sub="alice")))
    assert statuses(front, 3, headers=good) == [200, 200, 429]
