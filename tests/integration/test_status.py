"""sallyport status: the state file, for people and for tools."""

import json

from harness.config import one_route


def test_it_shows_gateways_processes_breakers_and_limits(scene, backend, run):
    config = one_route(
        backend,
        {"rate_limit": "100/60s"},
        breaker={"failures": 1, "open_for": "60s"},
    )
    front = scene.behind(config, workers=2)
    gateway = front.gateway
    assert front.get("/api/status/500").status == 500
    out = run("status", "--state", gateway.state, "--json")
    assert out.returncode == 0, out.stderr
    seen = json.loads(out.stdout)
    (only,) = seen["gateways"]
    assert (only["pid"], only["workers"]) == (gateway.pid, 2)
    assert only["config"] == gateway.config
    assert only["reload"] == "not asked for"
    pids = {p["pid"] for p in seen["processes"]}
    assert pids == set(gateway.workers())
    (breaker,) = seen["breakers"]
    assert breaker["name"] == backend.authority
    assert (breaker["state"], breaker["opened"]) == ("open", 1)
    assert 0 < breaker["retry_ms"] <= 60_000
    assert seen["limits"]["clients"] == 1

    out = run("status", "--state", gateway.state)
    assert f"gateway {gateway.pid}: {gateway.config}, 2 workers" in out.stdout
    assert f"breaker {backend.authority}: open, opened 1 time, tries" in out.stdout
    assert "limits: 1 client counted" in out.stdout
    assert "no process runs" not in out.stdout


def test_without_a_gateway_the_file_is_still_shown(scene, backend, run):
    gateway = scene.gateway(one_route(backend))
    state = gateway.state
    gateway.stop()
    out = run("status", "--state", state)
    assert out.returncode == 0
    assert out.stdout.startswith("no process runs\n")
    assert run("status", "--state", state + ".none").returncode == 1
