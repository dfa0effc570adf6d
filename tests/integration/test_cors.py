"""Calls from pages of another origin."""

import pytest

from harness.config import ENV, one_route, with_jwt

ORIGIN = "http://localhost:3000"
CORS = {
    "origins": [ORIGIN, "https://app.example"],
    "methods": ["GET", "PUT"],
    "headers": ["Authorization", "X-Own"],
    "expose": ["X-Request-Id"],
    "credentials": True,
    "max_age": "600s",
}


def preflight(origin=ORIGIN, method="PUT"):
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "x-own",
    }


def words(text):
    return {w.strip().lower() for w in text.split(",")}


def test_a_preflight_is_answered_before_the_token_is_asked_for(scene, backend):
    front = scene.behind(with_jwt(backend, cors=CORS), env=ENV)
    answer = front.request("OPTIONS", "/api/x", preflight())
    assert answer.status in (200, 204)
    assert answer.header("access-control-allow-origin") == ORIGIN
    assert words(answer.header("access-control-allow-methods")) == {
        "get",
        "put",
    }
    assert words(answer.header("access-control-allow-headers")) == {
        "authorization",
        "x-own",
    }
    assert answer.header("access-control-allow-credentials") == "true"
    assert answer.header("access-control-max-age") == "600"
    assert not backend.requests


def test_a_preflight_of_a_stranger_allows_nothing(scene, backend):
    front = scene.behind(one_route(backend, cors=CORS))
    answer = front.request(
        "OPTIONS", "/api/x", preflight("http://evil.example")
    )
    assert answer.header("access-control-allow-origin") is None
    assert not backend.requests


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": ORIGIN},
        {"Access-Control-Request-Method": "PUT"},
    ],
)
def test_an_options_request_that_is_no_preflight_goes_to_the_backend(
    scene, backend, headers
):
    front = scene.behind(one_route(backend, cors=CORS))
    answer = front.request("OPTIONS", "/api/x", headers)
    assert answer.status == 200
    assert answer.json()["method"] == "OPTIONS"


def test_an_options_request_without_a_token_is_401(scene, backend):
    front = scene.behind(with_jwt(backend, cors=CORS), env=ENV)
    assert front.request("OPTIONS", "/api/x").status == 401


def check_allowed(answer):
    assert answer.all("access-control-allow-origin") == [ORIGIN]
    assert answer.header("access-control-allow-credentials") == "true"
    assert words(answer.header("access-control-expose-headers")) == {
        "x-request-id"
    }
    assert "origin" in words(", ".join(answer.all("vary")))


def test_answers_carry_the_fields_errors_too(scene, backend):
    config = with_jwt(backend, cors=CORS)
    config["routes"] += [
        {"path": "/open", "backend": backend.url, "rate_limit": "3/300s"},
    ]
    front = scene.behind(config, env=ENV)
    origin = {"Origin": ORIGIN}
    for target, status in [
        ("/open/x", 200),
        ("/open/status/500", 500),
        ("/open/reset", 503),
        ("/open/x", 429),
        ("/api/x", 401),
    ]:
        answer = front.get(target, origin)
        assert answer.status == status
        check_allowed(answer)


def test_strangers_get_their_answer_without_the_fields(scene, backend):
    front = scene.behind(one_route(backend, cors=CORS))
    for origin in ("http://evil.example", ORIGIN + ".evil", "null"):
        answer = front.get("/api/x", {"Origin": origin})
        assert answer.status == 200
        assert answer.header("access-control-allow-origin") is None
        assert "origin" in words(answer.header("vary"))


def test_the_backends_own_fields_do_not_double_ours(scene, backend):
    backend.response_headers = [
        ("Access-Control-Allow-Origin", "*"),
        ("Vary", "Accept-Encoding"),
    ]
    front = scene.behind(one_route(backend, cors=CORS))
    answer = front.get("/api/headers", {"Origin": ORIGIN})
    check_allowed(answer)
    assert "accept-encoding" in words(", ".join(answer.all("vary")))


def test_without_cors_nothing_is_added(scene, backend):
    front = scene.behind(one_route(backend))
    answer = front.get("/api/x", {"Origin": ORIGIN})
    assert answer.header("access-control-allow-origin") is None
    answer = front.request("OPTIONS", "/api/x", preflight())
    assert answer.json()["method"] == "OPTIONS"
