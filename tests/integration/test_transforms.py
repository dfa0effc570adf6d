"""What is changed on the way to the backend and back."""

import pytest

from harness import fcgi
from harness.config import one_route


def sent(answer, name):
    fields = answer.json()["headers"]
    return [v for n, v in fields if n.lower() == name.lower()]


def transforms(backend, request=(), response=(), **top):
    return one_route(
        backend,
        transforms={"request": list(request), "response": list(response)},
        **top,
    )


def test_request_fields_are_added_set_and_removed(scene, backend):
    front = scene.behind(
        transforms(
            backend,
            [
                {"add": "X-Gateway", "value": "sallyport"},
                {"set": "X-Set", "value": "ours"},
                {"remove": "X-Debug"},
            ],
        )
    )
    answer = front.get(
        "/api/x",
        {"X-Gateway": "client", "X-Set": "client", "X-Debug": "1"},
    )
    assert sorted(sent(answer, "x-gateway")) == ["client", "sallyport"]
    assert sent(answer, "x-set") == ["ours"]
    assert sent(answer, "x-debug") == []


def test_response_fields_are_added_set_and_removed(scene, backend):
    backend.response_headers = [
        ("X-Powered-By", "something"),
        ("X-Set", "backend"),
        ("X-Kept", "1"),
    ]
    front = scene.behind(
        transforms(
            backend,
            response=[
                {"remove": "X-Powered-By"},
                {"set": "X-Set", "value": "ours"},
                {"add": "X-Served-By", "value": "sallyport"},
            ],
        )
    )
    answer = front.get("/api/headers")
    assert answer.all("x-powered-by") == []
    assert answer.all("x-set") == ["ours"]
    assert answer.all("x-served-by") == ["sallyport"]
    assert answer.all("x-kept") == ["1"]


def test_values_may_hold_what_is_known_of_the_request(scene, backend):
    front = scene.behind(
        transforms(
            backend,
            [
                {"set": "X-Was", "value": "%REQ(:METHOD)% %REQ(:PATH)%"},
                {"set": "X-From", "value": "%REQ(X-A)%/%REQ(X-None?X-B)%"},
                {"set": "X-Percent", "value": "100%%"},
            ],
        )
    )
    answer = front.get("/api/x?q", {"X-A": "a", "X-B": "b"})
    assert sent(answer, "x-was")[0].startswith("GET /")
    assert sent(answer, "x-from") == ["a/b"]
    assert sent(answer, "x-percent") == ["100%"]


@pytest.mark.parametrize("source", ["env", "operator", "file"])
def test_a_service_token_comes_from(scene, backend, tmp_path, source):
    (tmp_path / "token").write_text("inner %secret%\n")
    value = {
        "env": {"env": "SERVICE_TOKEN"},
        "operator": "%ENVIRONMENT(SERVICE_TOKEN)%",
        "file": {"file": str(tmp_path / "token")},
    }[source]
    front = scene.behind(
        transforms(backend, [{"set": "X-Service-Token", "value": value}]),
        env={"SERVICE_TOKEN": "inner %secret%"},
    )
    answer = front.get("/api/x", {"X-Service-Token": "forged"})
    assert sent(answer, "x-service-token") == ["inner %secret%"]


@pytest.mark.parametrize(
    "target, seen",
    [
        ("/api/v1/users/7?q=1", "/users/7?q=1"),
        ("/api/v2/users/7", "/v2/users/7"),
        ("/api/v1/", "/"),
        ("/api/av1/x", "/av1/x"),
    ],
)
def test_the_path_is_rewritten_by_pattern(scene, backend, target, seen):
    front = scene.behind(
        transforms(backend, [{"rewrite": "^/v1/(.*)", "to": "/\\1"}])
    )
    assert front.get(target).json()["target"] == seen


@pytest.mark.parametrize(
    "location, outer",
    [
        ("{url}/items/7?x=1", "/api/items/7?x=1"),
        ("/items/7", "/api/items/7"),
        ("{url}", "/api"),
        ("https://elsewhere.example/items", None),
        ("//elsewhere.example/items", None),
        ("items/7", None),
        ("?page=2", None),
    ],
)
@pytest.mark.parametrize("name", ["Location", "Content-Location"])
def test_places_at_the_backend_become_outer_ones(
    scene, backend, name, location, outer
):
    location = location.format(url=backend.url)
    backend.response_headers = [(name, location)]
    backend.response_status = 201
    gateway = scene.gateway(one_route(backend))
    answer = fcgi.request(gateway.address, "GET", "/api/headers")
    (value,) = [
        line.split(": ", 1)[1]
        for line in answer.out.decode().split("\r\n\r\n")[0].split("\r\n")
        if line.lower().startswith(name.lower() + ":")
    ]
    if outer is None:
        assert value == location
    else:
        path = value.replace("http://gateway.test", "").rstrip("/")
        assert path == outer, value


@pytest.mark.parametrize(
    "path, outer", [("/", "/api"), ("/items", "/api/items"), ("x", "x")]
)
def test_cookie_paths_become_outer_ones(scene, backend, path, outer):
    backend.response_headers = [
        ("Set-Cookie", f"a=1; Path={path}; HttpOnly"),
        ("Set-Cookie", "b=/items; Secure"),
    ]
    front = scene.behind(one_route(backend))
    first, second = front.get("/api/headers").all("set-cookie")
    parts = [p.strip() for p in first.split(";")]
    assert parts[0] == "a=1" and parts[-1] == "HttpOnly"
    assert parts[1].lower().rstrip("/") == f"path={outer}"
    assert second == "b=/items; Secure"


def test_a_declared_transform_is_applied_to_local_answers_too(scene, backend):
    front = scene.behind(
        transforms(backend, response=[{"set": "X-Always", "value": "1"}])
    )
    assert front.get("/api/reset").all("x-always") == ["1"]
