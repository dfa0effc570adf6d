"""Loading a configuration anew while requests go on."""

import os
import threading

import pytest

from harness import client, fcgi, servers
from harness.config import one_route
from harness.process import is_alive
from harness.wait import until


def version(backend, n, **top):
    change = [{"set": "X-Version", "value": str(n)}]
    return one_route(backend, transforms={"response": change}, **top)


def reload(run, gateway):
    return run("reload", "--state", gateway.state)


def test_new_workers_take_over_and_the_caller_is_told(scene, backend, run):
    front = scene.behind(version(backend, 1), workers=2)
    gateway = front.gateway
    before = gateway.workers()
    assert front.get("/api/x").header("x-version") == "1"
    servers.write(gateway.config, version(backend, 2))
    out = reload(run, gateway)
    assert (out.returncode, out.stderr) == (0, "")
    assert f"{gateway.config} is loaded by process {gateway.pid}" in out.stdout
    assert front.get("/api/x").header("x-version") == "2"
    until(lambda: not any(map(is_alive, before)), "the old workers end")
    until(lambda: len(gateway.workers()) == 2, "they are waited for")


def test_breakers_of_the_old_configuration_are_not_in_health(
    scene, backend, run
):
    breaker = {"failures": 1, "open_for": "60s"}
    front = scene.behind(one_route(backend, breaker=breaker))
    backend.response_status = 500
    assert front.get("/api/status/500").status == 500
    assert front.get("/readyz").status == 503
    health = front.get("/health").json()
    assert health["circuits"] == {backend.authority: "open"}
    servers.write(front.gateway.config, one_route(backend))
    assert reload(run, front.gateway).returncode == 0
    health = front.get("/health").json()
    assert (health["status"], health["circuits"]) == ("healthy", {})
    assert front.get("/readyz").status == 200


def test_a_refused_file_leaves_the_old_configuration(scene, backend, run):
    front = scene.behind(version(backend, 1))
    gateway = front.gateway
    before = gateway.workers()
    servers.write(gateway.config, "routes:\n- {path: /api, bakend: x}\n")
    out = reload(run, gateway)
    assert out.returncode == 78
    assert f"{gateway.config}:2:" in out.stderr
    assert "did you mean `backend`?" in out.stderr
    assert "refused; process" in out.stderr
    assert gateway.workers() == before
    assert front.get("/api/x").header("x-version") == "1"
    os.unlink(gateway.config)
    assert reload(run, gateway).returncode == 78
    assert front.get("/api/x").status == 200


def test_workers_that_cannot_start_are_no_new_generation(scene, backend, run):
    """The file is fine, but its log cannot be opened."""
    gateway = scene.gateway(version(backend, 1))
    before = gateway.workers()
    assert fcgi.request(gateway.address, "GET", "/api/x").status == 200
    gateway.log.wait(1)
    # The override names a file; as a folder it cannot be opened.
    os.unlink(gateway.log.path)
    os.mkdir(gateway.log.path)
    out = reload(run, gateway)
    assert out.returncode == 78
    assert "the new workers did not come up" in out.stderr
    assert gateway.workers() == before
    assert fcgi.request(gateway.address, "GET", "/api/x").status == 200
    os.rmdir(gateway.log.path)
    assert reload(run, gateway).returncode == 0


def test_what_is_under_way_is_finished_by_the_old_workers(scene, backend, run):
    front = scene.behind(version(backend, 1))
    old = front.gateway.workers()
    data = client.encode_request("GET", "/api/wait")
    with client.connect(front.address) as s:
        s.sendall(data)
        backend.wait_in_flight(1)
        servers.write(front.gateway.config, version(backend, 2))
        assert reload(run, front.gateway).returncode == 0
        assert front.get("/api/x").header("x-version") == "2"
        assert all(map(is_alive, old))
        backend.release()
        answer = client.Response(client.read_all(s))
    assert (answer.status, answer.header("x-version")) == (200, "1")
    until(lambda: not any(map(is_alive, old)), "the old worker ends")


def test_limits_keep_their_values(scene, backend, run):
    config = version(backend, 1)
    config["routes"][0]["rate_limit"] = "3/60s"
    front = scene.behind(config, workers=2)
    statuses = []
    for _ in range(5):
        statuses.append(front.get("/api/x").status)
        assert reload(run, front.gateway).returncode == 0
    assert statuses == [200, 200, 200, 429, 429]


def test_nobody_to_ask_is_said(run, scene, backend, tmp_path):
    gateway = scene.gateway(one_route(backend))
    out = run("reload", "--state", gateway.state, "--pid", "1")
    assert out.returncode == 1
    assert "process 1 is no gateway" in out.stderr
    assert "sallyport status" in out.stderr
    assert run("reload", "--state", str(tmp_path / "none")).returncode == 1
    assert run("reload", "--pid").returncode == 64


def test_two_gateways_on_one_state_file_are_told_apart(scene, backend, run):
    folder = scene.new_folder()
    one = scene.gateway(one_route(backend), folder=folder)
    two = scene.gateway(one_route(backend), folder=folder, name="two")
    assert reload(run, one).returncode == 64
    old = two.workers()
    out = run("reload", "--state", one.state, "--pid", str(two.pid))
    assert out.returncode == 0
    assert two.workers() != old


@pytest.mark.parametrize("kind", ["lighttpd", "nginx"])
def test_no_request_is_lost_in_200_reloads(scene, backend, run, kind):
    """Good and broken files alternate; clients ask without a pause."""
    front = scene.behind(version(backend, 0), kind, workers=2)
    gateway = front.gateway
    done = threading.Event()
    wrong, counts = [], []

    def ask():
        n = 0
        while not done.is_set():
            answer = front.get("/api/echo")
            if answer.status != 200 or not answer.complete:
                wrong.append(answer.raw)
            n += 1
        counts.append(n)

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for c in clients:
        c.start()
    try:
        for i in range(1, 201):
            good = i % 2
            servers.write(
                gateway.config, version(backend, i) if good else "routes: 5\n"
            )
            out = reload(run, gateway)
            assert out.returncode == (0 if good else 78), out.stderr
            if good:
                # A connection that nginx keeps brings one request more to
                # the worker that had it.
                until(
                    lambda: front.get("/api/x").header("x-version") == str(i),
                    "the new configuration answers",
                )
    finally:
        done.set()
        for c in clients:
            c.join()
    assert not wrong, wrong[:3]
    assert min(counts) > 50
