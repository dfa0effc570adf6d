"""What monitoring asks."""

import pytest

from harness.config import ENV, one_route, with_jwt
from harness.wait import until


def test_health_has_its_shape(scene, backend):
    front = scene.behind(
        one_route(backend, breaker={"failures": 3, "open_for": "60s"})
    )
    assert front.get("/api/x").status == 200
    answer = front.get("/health")
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    health = answer.json()
    assert set(health) == {"status", "uptime", "circuits"}
    assert health["status"] == "healthy"
    assert list(health["circuits"].values()) == ["closed"]
    assert isinstance(health["uptime"], int)
    until(
        lambda: front.get("/health").json()["uptime"] > health["uptime"],
        "uptime grows",
    )


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_live_and_ready_answer(scene, backend, path):
    front = scene.behind(with_jwt(backend), env=ENV)
    assert front.get(path).status == 200
    assert front.request("HEAD", path).status == 200
    assert not backend.requests


def test_health_needs_no_token_and_no_backend(scene, backend):
    front = scene.behind(with_jwt(backend), env=ENV)
    assert front.get("/health").status == 200
    assert not backend.requests
