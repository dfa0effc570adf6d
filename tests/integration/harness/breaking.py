"""A circuit breaker, seen from outside."""

from .config import one_route


def statuses(front, n, target):
    return [front.get(target).status for _ in range(n)]


def circuits(front):
    return front.get("/health").json()["circuits"]


def opened(scene, backend, open_for="1s", workers=4):
    """A gateway whose breaker has just opened."""
    front = scene.behind(
        one_route(backend, breaker={"failures": 3, "open_for": open_for}),
        workers=workers,
    )
    assert statuses(front, 3, "/api/status/500") == [500] * 3
    assert front.get("/api/status/200").status == 503
    return front
