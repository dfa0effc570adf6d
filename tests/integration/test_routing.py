"""Which route a request takes, and what target the backend sees."""

import pytest

from harness.config import ENV, one_route, routes, with_jwt


@pytest.fixture
def named(scene):
    """Three routes, each with a backend of its own."""
    users, admins, rest = scene.backend(), scene.backend(), scene.backend()
    front = scene.behind(
        routes(
            [
                {"path": "/api", "backend": rest.url},
                {"path": "/api/users", "backend": users.url},
                {"path": "/api/users/admin", "backend": admins.url},
            ]
        )
    )
    return front, {"users": users, "admins": admins, "rest": rest}


@pytest.mark.parametrize(
    "target, name, seen",
    [
        ("/api/users", "users", "/"),
        ("/api/users/", "users", "/"),
        ("/api/users/7", "users", "/7"),
        ("/api/users/7?a=b&a=c", "users", "/7?a=b&a=c"),
        ("/api/users?x=/../%2F//", "users", "/?x=/../%2F//"),
        ("/api/usersevil", "rest", "/usersevil"),
        ("/api/users.json", "rest", "/users.json"),
        ("/api/users/admin/1", "admins", "/1"),
        ("/api/users/adminx", "users", "/adminx"),
        ("/api", "rest", "/"),
        ("/api/a%20b/%C3%A9", "rest", "/a%20b/%C3%A9"),
    ],
)
def test_the_longest_path_of_whole_segments_wins(named, target, name, seen):
    front, backends = named
    answer = front.get(target)
    assert answer.status == 200
    assert answer.json()["target"] == seen
    assert [n for n, b in backends.items() if b.requests] == [name]


@pytest.mark.parametrize("target", ["/", "/ap", "/apis", "/API", "/other/api"])
def test_what_no_route_matches_is_404(named, target):
    front, backends = named
    answer = front.get(target)
    assert answer.status == 404
    assert answer.header("content-type") == "application/json"
    assert answer.json()["error"]
    assert front.log.of(answer)["status"] == 404
    assert not any(b.requests for b in backends.values())


def test_a_route_may_keep_its_prefix(scene, backend):
    front = scene.behind(one_route(backend, {"strip": False}))
    assert front.get("/api/7?q").json()["target"] == "/api/7?q"


def test_the_wrong_method_is_405_with_those_allowed(scene, backend):
    front = scene.behind(one_route(backend, {"methods": ["GET", "POST"]}))
    answer = front.request("DELETE", "/api/7")
    assert answer.status == 405
    allowed = {m.strip() for m in answer.header("allow").split(",")}
    assert {"GET", "POST"} <= allowed and "DELETE" not in allowed
    assert not backend.requests
    assert front.get("/api/7").status == 200
    assert front.request("POST", "/api/7", body=b"x").status == 200


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "OPTIONS"]
)
def test_methods_reach_the_backend_as_they_are(scene, backend, method):
    front = scene.behind(one_route(backend))
    assert front.request(method, "/api/x").json()["method"] == method


@pytest.mark.parametrize(
    "target",
    [
        "/open/../api/x",
        "/open/%2e%2e/api/x",
        "/open/.%2E/api/x",
        "/%61pi/x",
        "/./api/x",
        "//api/x",
        "///api//x",
        "/open/..%2fapi/x",
        "/open%2f..%2fapi/x",
        "/open/..\\api/x",
        "/open/..%5capi/x",
        "/open\\..\\api/x",
        "/api%2fx",
        "/api%5cx",
        "/api\\x",
        "/api/../api/x",
        "/open/..;/api/x",
    ],
)
def test_no_spelling_of_a_path_gets_around_its_token(scene, backend, target):
    """Such a request is refused, or it goes where its plain form goes."""
    private = scene.backend()
    config = with_jwt(private)
    config["routes"].append({"path": "/open", "backend": backend.url})
    front = scene.behind(config, env=ENV)
    answer = front.get(target)
    assert not private.requests, answer
    if answer.status == 200:
        seen = answer.json()["target"]
        assert "api" not in seen or ".." not in seen.replace("..;", ""), seen
    else:
        assert answer.status in (307, 400, 401, 404), answer


@pytest.mark.parametrize("target", ["/api/a%00b", "/api/%00"])
def test_a_nul_in_the_path_is_refused(scene, backend, target):
    front = scene.behind(one_route(backend))
    assert front.get(target).status == 400
    assert not backend.requests


def test_dot_segments_are_resolved_before_the_backend_sees_them(
    scene, backend
):
    front = scene.behind(one_route(backend))
    assert front.get("/api/a/./b/../c").json()["target"] == "/a/c"
    assert front.get("/api/../../api/c").json()["target"] == "/c"
    assert front.get("/x/../api/c").json()["target"] == "/c"
