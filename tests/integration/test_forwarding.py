"""Retries, mirrors and thresholds where bodies are large, or workers many."""

import hashlib
import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import client, fcgi, servers
from harness.backend import BLOCK
from harness.config import envoy
from harness.wait import until

STREAMED_UPLOADS = "server.stream-request-body = 2\n"
RETRIES = {"retry_on": "5xx"}
MIB = 1 << 20


def config(backend, action, clusters=(), **route):
    """Everything goes to the backend's cluster, "one", in that way."""
    made = envoy(
        backend,
        [
            {
                "match": {"prefix": "/"},
                "route": {"cluster": "one", "timeout": "170s", **action},
                **route,
            }
        ],
    )
    known = made["static_resources"]["clusters"]
    for name, other in dict(clusters).items():
        copy = json.loads(json.dumps(known[0]))
        copy["name"] = copy["load_assignment"]["cluster_name"] = name
        endpoint = copy["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
        address = endpoint["endpoint"]["address"]["socket_address"]
        address["port_value"] = other.port
        known.append(copy)
    return made


def with_thresholds(made, **thresholds):
    cluster = made["static_resources"]["clusters"][0]
    cluster["circuit_breakers"] = {"thresholds": [thresholds]}
    return made


def counters(gateway):
    out = subprocess.run(
        [servers.PROGRAM, "stats", "--state", gateway.state],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    pairs = (line.rsplit(": ", 1) for line in out.splitlines())
    return {name: int(value) for name, value in pairs}


def body_of(size):
    return (BLOCK * (size // len(BLOCK) + 1))[:size]


def fails_once(stream_answers):
    """The first request to /once is answered with 503, others by the sink."""
    failed = []

    async def once(stream):
        if failed:
            await stream_answers(stream)
            return
        failed.append(True)
        async for _ in stream.body_parts():
            pass
        await stream.answer(503, (), b"not yet\n")

    return once


# ---- bodies ----


def test_a_body_that_is_kept_is_sent_again_whole(scene, backend):
    backend.on["/once"] = fails_once(backend.do_sink)
    front = scene.behind(config(backend, {"retry_policy": RETRIES}))
    body = body_of(900_000)
    answer = front.request("POST", "/once", body=body)
    assert answer.status == 200, answer
    assert answer.json()["blake2b"] == hashlib.blake2b(body).hexdigest()
    assert [r.segments for r in backend.requests] == [["once"]] * 2


@pytest.mark.parametrize("front", ["lighttpd", "apache"])
def test_a_body_larger_than_that_streams_and_is_sent_once(
    scene, backend, front
):
    made = config(backend, {"retry_policy": RETRIES})
    if front == "lighttpd":
        gateway = scene.gateway(made)
        front = scene.keep(servers.behind_lighttpd(gateway, STREAMED_UPLOADS))
    else:
        front = scene.behind(made, front=front)
    body = body_of(64 * MIB)
    answer = front.request("POST", "/sink", body=body)
    assert answer.status == 200, answer
    assert answer.json()["blake2b"] == hashlib.blake2b(body).hexdigest()
    counted = counters(front.gateway)
    assert counted["cluster.one.retry_or_shadow_abandoned"] == 1
    if not servers.HAS_SANITIZERS:
        assert front.gateway.resident_kib(peak=True) < 32 << 10
    backend.on["/once"] = fails_once(backend.do_sink)
    assert front.request("POST", "/once", body=body).status == 503


def open_post(gateway, path, length):
    """A request whose body is still to come."""
    params = fcgi.params_for("POST", path, ("CONTENT_LENGTH", str(length)))
    s = client.connect(gateway.address, 30)
    s.sendall(fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(params)))
    return s


def refusing_early(stream):
    return stream.answer(503, [("X-Wait", "100")], b"wait\n")


def waiting_for_a_retry(scene, backend, limit, **thresholds):
    """A request of 100 bytes, 10 of which are sent, before its second try."""

    async def early(stream):
        await refusing_early(stream)
        await stream.reader.read()
        stream.close()

    backend.on["/early"] = early
    policy = {
        **RETRIES,
        "rate_limited_retry_back_off": {"reset_headers": [{"name": "x-wait"}]},
    }
    made = config(
        backend, {"retry_policy": policy}, request_body_buffer_limit=limit
    )
    gateway = scene.gateway(with_thresholds(made, **thresholds))
    s = open_post(gateway, "/early", 100)
    s.sendall(fcgi.record(fcgi.STDIN, b"x" * 10))
    name = "cluster.one.retry.upstream_rq_503"
    until(lambda: counters(gateway).get(name), "the retry waits")
    return gateway, s


def test_a_body_that_outgrows_what_a_waiting_retry_keeps_is_507(
    scene, backend
):
    gateway, s = waiting_for_a_retry(scene, backend, 60)
    with s:
        s.sendall(fcgi.record(fcgi.STDIN, b"x" * 90))
        answer = fcgi.read_answer(s)
    assert answer.status == 507
    assert (
        answer.body == b"exceeded request buffer limit while retrying upstream"
    )
    assert counters(gateway)["cluster.one.retry_or_shadow_abandoned"] == 1


def test_a_client_that_leaves_while_a_retry_waits_gives_back_its_place(
    scene, backend
):
    gateway, s = waiting_for_a_retry(scene, backend, 1000, max_retries=1)

    def is_retried():
        backend.on["/once"] = fails_once(backend.do_echo)
        return fcgi.request(gateway.address, "GET", "/once").status == 200

    assert not is_retried()
    s.close()
    until(is_retried, "there is room for a retry")


# ---- mirrors ----


def mirrored(scene, backend, other, **options):
    action = {"request_mirror_policies": [{"cluster": "two"}]}
    made = config(backend, action, {"two": other})
    return scene.gateway(made, **options)


def test_a_mirror_gets_the_body_as_it_comes(scene, backend):
    other = scene.backend()
    front = scene.keep(
        servers.behind_lighttpd(
            mirrored(scene, backend, other), STREAMED_UPLOADS
        )
    )
    seen = []

    async def sink(stream):
        seen.append(await stream.read_body())
        await stream.answer(200, (), b"thrown away\n")

    other.on["/sink"] = sink
    body = body_of(700_000)
    answer = front.request("POST", "/sink", body=body)
    assert answer.json()["bytes"] == len(body)
    until(lambda: seen, "the copy has come")
    assert seen == [body]
    assert other.requests[0].header("host").endswith("-shadow")


def test_nobody_waits_for_a_mirror(scene, backend):
    """The copy is never read: it is given up, in bounded memory."""
    other = scene.backend()
    gateway = mirrored(scene, backend, other)
    front = scene.keep(servers.behind_lighttpd(gateway, STREAMED_UPLOADS))

    async def stuck(stream):
        await other._gate.wait()
        stream.close()

    other.on["/sink"] = stuck
    body = body_of(64 * MIB)
    answer = front.request("POST", "/sink", body=body)
    assert answer.json()["blake2b"] == hashlib.blake2b(body).hexdigest()
    if not servers.HAS_SANITIZERS:
        assert gateway.resident_kib(peak=True) < 32 << 10


# ---- thresholds ----


def ask_all(pool, gateway, n, path="/wait"):
    return [
        pool.submit(fcgi.request, gateway.address, "GET", path)
        for _ in range(n)
    ]


def test_max_requests_holds_over_all_workers(scene, backend):
    made = with_thresholds(config(backend, {}), max_requests=3)
    gateway = scene.gateway(made, workers=4)
    with ThreadPoolExecutor(20) as pool:
        asked = ask_all(pool, gateway, 20)
        until(
            lambda: sum(a.done() for a in asked) == 17, "the others are refused"
        )
        assert backend.in_flight == 3
        assert counters(gateway)["cluster.one.upstream_rq_active"] == 3
        backend.release()
        answers = [a.result() for a in asked]
    assert sorted(a.status for a in answers) == [200] * 3 + [503] * 17
    refused = next(a for a in answers if a.status == 503)
    assert b"x-envoy-overloaded: true" in refused.out.lower()
    assert refused.body.endswith(b"reset reason: overflow")
    counted = counters(gateway)
    assert counted["cluster.one.upstream_rq_active_overflow"] == 17


def test_max_connections_holds_over_all_workers(scene, backend):
    """A host has one connection in any worker, whatever the threshold."""
    made = with_thresholds(config(backend, {}), max_connections=6)
    gateway = scene.gateway(made, workers=2)
    with ThreadPoolExecutor(20) as pool:
        asked = ask_all(pool, gateway, 20)
        backend.wait_in_flight(6)
        pending = "cluster.one.upstream_rq_pending_total"
        until(lambda: counters(gateway).get(pending) == 20, "all wait")
        assert backend.max_in_flight <= 7
        backend.release()
        assert all(a.result().status == 200 for a in asked)
    assert backend.max_in_flight <= 7


def test_what_a_killed_worker_held_comes_back(scene, backend):
    made = with_thresholds(config(backend, {}), max_requests=2)
    gateway = scene.gateway(made, workers=2)
    killed = gateway.workers()
    with ThreadPoolExecutor(3) as pool:
        asked = ask_all(pool, gateway, 2)
        backend.wait_in_flight(2)
        assert fcgi.request(gateway.address, "GET", "/echo").status == 503
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert not any(a.result().ended for a in asked)
    until(
        lambda: len(gateway.workers()) == 2
        and not set(killed) & set(gateway.workers()),
        "others take their place",
    )
    until(
        lambda: fcgi.request(gateway.address, "GET", "/echo").status == 200,
        "there is room again",
    )
