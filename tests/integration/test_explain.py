"""sallyport explain: it says what the gateway then does."""

import json

from harness import tokens
from harness.config import ENV, JWT, routes
from harness.servers import write

# What differs from request to request, or that the web server adds.
OWN = {"x-request-id", "x-forwarded-for", "connection", "accept-encoding"}


def config(backend):
    items = [
        {"path": "/plain", "backend": backend.url},
        {"path": "/private", "backend": backend.url, "auth": "jwt"},
        {"path": "/kept", "backend": backend.url, "strip": False},
        {"path": "/get", "backend": backend.url, "methods": ["GET"]},
    ]
    return routes(
        items,
        jwt=JWT,
        transforms={
            "request": [
                {"add": "X-Gateway", "value": "sallyport"},
                {"remove": "X-Debug"},
            ]
        },
    )


def explain(run, file, method, url, headers=()):
    lines = [f"{name}: {value}" for name, value in headers]
    options = [word for line in lines for word in ("-H", line)]
    out = run("explain", method, url, "-c", file, *options, "--json", env=ENV)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def plain(fields):
    return sorted(
        (name.lower(), value)
        for name, value in fields
        if name.lower() not in OWN and name.lower() != "host"
    )


def test_it_says_what_the_backend_then_gets(scene, backend, run):
    front = scene.behind(config(backend), env=ENV)
    token = tokens.hmac_token({"sub": "alice"})
    for method, path, fields in [
        ("GET", "/plain/echo?a=b", [("X-Debug", "1"), ("X-Own", "2")]),
        ("GET", "/kept/x", []),
        ("DELETE", "/plain/echo", []),
        ("GET", "/private/echo", [("Authorization", f"Bearer {token}")]),
        ("GET", "/get/echo", [("Cookie", "a=1; b=2")]),
    ]:
        said = explain(
            run,
            front.gateway.config,
            method,
            f"http://gateway.test{path}",
            fields,
        )["sent"]
        got = front.request(method, path, fields).json()
        assert (said["method"], said["path"]) == (got["method"], got["target"])
        assert said["to"] == backend.authority
        assert plain(said["headers"]) == plain(got["headers"])


def test_it_says_why_a_request_is_refused(scene, backend, run):
    front = scene.behind(config(backend), env=ENV)
    for method, path, details in [
        ("GET", "/private/x", "jwt_authn_access_denied{Jwt_is_missing}"),
        ("GET", "/nowhere", "route_not_found"),
        ("DELETE", "/get/x", None),
    ]:
        said = explain(run, front.gateway.config, method, path)
        got = front.request(method, path)
        assert "sent" not in said
        assert said["answer"]["status"] == got.status
        if details:
            assert said["answer"]["details"] == details
    assert backend.requests == []


def test_it_names_the_line_that_decided(backend, run, tmp_path):
    file = write(
        f"{tmp_path}/gateway.yaml",
        f"""\
routes:
- path: /a
  backend: {backend.url}
- path: /b
  auth: jwt
  backend: {backend.url}
jwt:
  secret: {{env: JWT_SECRET}}
""",
    )
    out = run("explain", "GET", "/b/x", "-c", file, env=ENV).stdout
    lines = {line[:14].strip(): line for line in out.splitlines()}
    assert lines["route"].endswith(f"{file}:4")
    assert "answers 401" in out
    refused = [line for line in out.splitlines() if "answers 401" in line]
    assert refused[0].endswith(f"{file}:4") or refused[0].endswith(f"{file}:5")
