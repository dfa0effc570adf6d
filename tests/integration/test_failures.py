"""Backends that fail: what the client and the log are told."""

import pytest

from harness.config import one_route, routes
from harness.process import free_port

FRONTS_THAT_STREAM = ["lighttpd", "nginx", "apache"]


def check_refusal(front, answer, status):
    assert answer.status == status, answer
    assert answer.header("content-type") == "application/json"
    assert answer.json()["error"]
    line = front.log.of(answer)
    assert line["status"] == status
    assert line["reason"]


@pytest.mark.parametrize(
    "path, status",
    [
        ("reset", 503),
        ("close", 503),
        ("half-headers", 502),
        ("malformed", 502),
        ("huge-header", 502),
        ("never", 504),
    ],
)
def test_a_bad_backend_has_a_status_for_each_way(scene, backend, path, status):
    front = scene.behind(one_route(backend, {"timeout": "400ms"}))
    check_refusal(front, front.get(f"/api/{path}"), status)
    assert front.get("/api/echo").status == 200


def test_a_refused_connection_is_503(scene, backend):
    front = scene.behind(
        routes(
            [
                {
                    "path": "/gone",
                    "backend": f"http://127.0.0.1:{free_port()}",
                },
                {"path": "/api", "backend": backend.url},
            ]
        )
    )
    check_refusal(front, front.get("/gone/x"), 503)
    assert front.get("/api/x").status == 200


def test_a_name_without_address_is_503(scene, backend):
    front = scene.behind(
        routes([{"path": "/a", "backend": "http://no-such-host.invalid"}])
    )
    check_refusal(front, front.get("/a/x"), 503)


@pytest.mark.parametrize("front", FRONTS_THAT_STREAM)
@pytest.mark.parametrize("path", ["half-length", "half-chunked"])
def test_half_an_answer_never_looks_whole(scene, backend, front, path):
    front = scene.behind(one_route(backend), front=front)
    answer = front.get(f"/api/{path}")
    assert not (answer.status == 200 and answer.complete), answer
    line = front.log.wait(1)[0]
    assert line["reason"]
    assert front.get("/api/echo").status == 200


def test_a_backend_that_answers_before_the_body_is_read(scene, backend):
    async def early(stream):
        await stream.answer(413, (), b"too much\n")
        stream.close()

    backend.on["/early"] = early
    front = scene.behind(one_route(backend))
    answer = front.request("POST", "/api/early", body=b"x" * 3_000_000)
    assert answer.status == 413
    assert answer.body == b"too much\n"


def test_a_kept_connection_that_the_backend_closed_is_not_fatal(
    scene, backend
):
    """The second request meets a connection that has just ended."""

    async def once(stream):
        await stream.answer(200, (), b"fine")
        stream.close()

    backend.on["/once"] = once
    front = scene.behind(one_route(backend))
    for _ in range(20):
        assert front.get("/api/once").body == b"fine"
