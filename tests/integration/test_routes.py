"""sallyport routes: the table as compiled, and what is never reached."""

import json

from harness.config import ENV, envoy, with_jwt
from harness.servers import write


def listed(run, file, env=None):
    out = run("routes", "-c", file, "--json", env=env)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def test_the_routes_of_the_short_form_are_shown(backend, run, tmp_path):
    config = with_jwt(
        backend,
        {"methods": ["GET", "PUT"], "rate_limit": "5/60s", "timeout": "3s"},
    )
    file = write(f"{tmp_path}/c.yaml", config)
    (host,) = listed(run, file, ENV)["virtual_hosts"]
    assert host["domains"] == ["*"]
    first, other = host["routes"]
    assert first["match"] == {
        "segments": "/api",
        "methods": ["GET", "PUT"],
        "conditions": [],
    }
    assert first["cluster"] == backend.authority
    assert first["timeout_ms"] == 3000
    assert (first["file"], first["line"]) == (file, 3)
    filters = {f["name"]: f["config"] for f in first["filters"]}
    assert filters["sallyport.rate_limit"]["limit"] == "5"
    assert filters["envoy.filters.http.jwt_authn"] == {
        "requirement_name": "jwt"
    }
    assert other["status"] == 405 and other["match"]["methods"] == []
    assert "shadowed_by" not in json.dumps(host)
    out = run("routes", "-c", file, env=ENV)
    assert out.returncode == 0
    assert f"segments /api " in out.stdout and f"{file}:3" in out.stdout
    assert "GET,PUT" in out.stdout and "answers 405" in out.stdout
    assert "rate_limit: limit 5, window 60s" in out.stdout
    assert "\033" not in out.stdout and "never" not in out.stdout


def test_routes_that_are_never_reached_are_marked(backend, run, tmp_path):
    routes = [
        {"match": {"prefix": "/a"}, "direct_response": {"status": 200}},
        {"match": {"path": "/b"}, "redirect": {"https_redirect": True}},
        {
            "match": {
                "path": "/ab",
                "headers": [{"name": "x-a", "present_match": True}],
                "query_parameters": [{"name": "q", "present_match": True}],
            },
            "route": {"cluster": "one"},
        },
        {"match": {"prefix": "/"}, "route": {"cluster_header": "x-c"}},
        {
            "match": {"safe_regex": {"regex": "/x.*"}},
            "route": {
                "weighted_clusters": {
                    "clusters": [
                        {"name": "one", "weight": 3},
                        {"name": "one", "weight": 4},
                    ]
                }
            },
        },
    ]
    file = write(f"{tmp_path}/c.yaml", envoy(backend, routes))
    (host,) = listed(run, file)["virtual_hosts"]
    seen = [r.get("shadowed_by", {}).get("route") for r in host["routes"]]
    assert seen == [None, None, 0, None, 3]
    line = host["routes"][3]["line"]
    assert host["routes"][4]["shadowed_by"]["line"] == line
    assert [r["to"] for r in host["routes"]] == [
        "answers 200",
        "redirect 301 https://",
        "cluster one",
        "the cluster in x-c",
        "clusters one 3, one 4",
    ]
    out = run("routes", "-c", file).stdout
    assert f"never reached: the route of line {line} takes" in out
    assert "if header x-a" in out and "if query parameter q" in out


def test_a_refused_configuration_is_said(run, tmp_path):
    file = write(f"{tmp_path}/c.yaml", "routes: 5\n")
    out = run("routes", "-c", file)
    assert (out.returncode, out.stdout) == (78, "")
    assert ":1:9: error: routes" in out.stderr
    assert run("routes", file).returncode == 64
