"""Mistakes in a configuration, and the tools that look at one."""

import glob
import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from harness import servers, tokens
from harness.config import ENV, envoy, filter_of, one_route, with_jwt
from harness.tokens import bearer, hmac_token

MISTAKES = """\
routes:
  - path: /api
    backend: http://127.0.0.1:3001
    rate_limits: 3/60s
    methods: GET
  - path: api
    backend: ftp://127.0.0.1/
    auth: jwt
  - path: /x
    backend: http://127.0.0.1:3001
    timeout: soon
    rate_limit: many
jwt:
  secret: { env: NOT_SET_ANYWHERE }
brekaer: { failures: 5 }
cors:
  origins: []
  origins: ["http://a"]
"""


@pytest.fixture
def file(tmp_path):
    def make(text, name="c.yaml"):
        return servers.write(str(tmp_path / name), text)

    return make


@pytest.mark.parametrize("command", ["check", "serve"])
def test_all_mistakes_are_told_in_one_run(run, file, tmp_path, command):
    path = file(MISTAKES)
    args = [command, path]
    if command == "serve":
        args = ["serve", "-c", path, "--listen", f"unix:{tmp_path}/sock"]
    result = run(*args)
    assert result.returncode == 78
    text = result.stderr + result.stdout
    for line in (4, 5, 6, 7, 11, 12, 14, 15, 18):
        assert re.search(rf"^{path}:{line}:\d+: error: ", text, re.M), (
            line,
            text,
        )
    assert "rate_limit" in text and "breaker" in text
    assert "NOT_SET_ANYWHERE" in text
    assert "    rate_limits: 3/60s" in text
    assert not os.path.exists(f"{tmp_path}/sock")


LONG_MISTAKES = """\
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 8080}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          unknown_here: 1
          route_config:
            virtual_hosts:
            - name: a
              domains: ["*"]
              routes:
              - match: {safe_regex: {regex: "a("}}
                route: {cluster: nope}
          http_filters:
          - name: jwt
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
              providers: {p: {local_jwks: {filename: /nowhere}}}
              rules: [{match: {prefix: /}, requires: {provider_name: q}}]
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
"""


@pytest.mark.parametrize(
    "misspelt, lines",
    [
        # What is compiled is looked at although a key and a name are unknown...
        (None, (10, 16, 17, 22, 23)),
        # ... but not when something that is needed is not there.
        ("prefix: /}", (10, 17, 23)),
    ],
)
def test_mistakes_of_all_stages_are_told(run, file, misspelt, lines):
    text = LONG_MISTAKES
    if misspelt:
        text = text.replace(misspelt, "prefx: /}")
    path = file(text)
    result = run("check", path)
    assert result.returncode == 78
    found = re.findall(rf"^{path}:(\d+):\d+: error: ", result.stderr, re.M)
    assert [int(line) for line in found] == list(lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "routes: [",
        "a: &x [1]\nb: *y\n",
        "\x00",
        "routes:\n\t- path: /a\n",
        "{" * 2000,
    ],
)
def test_what_is_no_configuration_is_refused(run, file, text):
    result = run("check", file(text))
    assert result.returncode == 78
    assert result.stderr + result.stdout


def test_an_unreadable_file_is_refused(run, tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        result = run("check", str(path))
        assert result.returncode == 78
        assert str(path) in result.stderr + result.stdout


@pytest.mark.parametrize(
    "args",
    [
        ["frobnicate"],
        ["serve"],
        ["serve", "-c"],
        ["check"],
        ["expand"],
        ["serve", "-c", "x", "--workers", "many"],
        ["serve", "--nonsense"],
        ["check", "a", "b"],
    ],
)
def test_wrong_usage_is_64(run, args):
    result = run(*args)
    assert result.returncode == 64
    assert result.stderr


def test_a_good_file_is_good(run, file, backend):
    assert run("check", file(one_route(backend))).returncode == 0


def test_the_commented_default_is_good(run):
    path = f"{servers.CONF}/sallyport.yaml"
    result = run("check", path, env=ENV)
    assert result.returncode == 0, result.stderr
    assert run("check", path).returncode == 78


def uncomment(text):
    return re.sub(r"^( *)#-", r"\1", text, flags=re.M)


def test_what_the_default_shows_in_comments_is_good_too(
    run, file, tmp_path, keys
):
    text = uncomment(open(f"{servers.CONF}/sallyport.yaml").read())
    text = text.replace("/etc/sallyport/jwks.json", f"{tmp_path}/jwks.json")
    servers.write(f"{tmp_path}/jwks.json", {"keys": [keys("RS256").jwk()]})
    env = {**ENV, "SERVICE_TOKEN": "x"}
    # A key set takes the place of the secret.
    text = re.sub(r"^  secret:.*\n", "", text, flags=re.M)
    text = re.sub(r"^  algorithms:.*\n", "", text, flags=re.M)
    result = run("check", file(text), env=env)
    assert result.returncode == 0, result.stderr


def test_the_expanded_form_does_the_same(run, file, scene, backend):
    config = with_jwt(
        backend,
        {"rate_limit": "2/300s", "methods": ["GET"]},
        breaker={"failures": 3, "open_for": "60s"},
        cors={"origins": ["http://a.example"]},
        transforms={
            "request": [{"rewrite": "^/v1/(.*)", "to": "/\\1"}],
            "response": [{"set": "X-Set", "value": "1"}],
        },
    )
    result = run("expand", file(config), env=ENV)
    assert result.returncode == 0, result.stderr
    front = scene.behind(result.stdout)
    token = bearer(hmac_token())
    origin = {"Origin": "http://a.example"}
    answer = front.get("/v1/api/x", {**token, **origin})
    assert answer.json()["target"] == "/x"
    assert answer.header("x-set") == "1"
    assert answer.header("access-control-allow-origin") == "http://a.example"
    assert front.get("/api/x", origin).status == 401
    assert front.request("PUT", "/api/x", token).status == 405
    assert front.get("/nowhere").status == 404
    assert [front.get("/api/x", token).status for _ in range(2)] == [200, 429]
    assert front.get("/health").json()["status"] == "healthy"


FIXED = [
    {
        "match": {"path": "/fixed"},
        "direct_response": {
            "status": 418,
            "body": {"inline_string": "teapot"},
        },
    },
    {"match": {"prefix": "/a/"}, "route": {"cluster": "one"}},
    {
        "match": {"prefix": "/a/never"},
        "direct_response": {"status": 500},
    },
]

YAML = """\
static_resources:
  listeners:
  - name: main
    address: { socket_address: { address: 127.0.0.1, port_value: 9999 } }
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.\
http_connection_manager.v3.HttpConnectionManager
          stat_prefix: main
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: { path: /fixed }
                direct_response: { status: 418, body: { inline_string: teapot } }
              - match: { prefix: /a/ }
                route: { cluster: one }
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.\
router.v3.Router
  clusters:
  - name: one
    type: STATIC
    load_assignment:
      cluster_name: one
      endpoints:
      - lb_endpoints:
        - endpoint:
            address:
              socket_address: { address: 127.0.0.1, port_value: PORT }
"""


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_an_envoy_file_is_understood(scene, backend, suffix):
    text = YAML.replace("PORT", str(backend.port))
    if suffix == "json":
        text = json.dumps(envoy(backend, FIXED))
    front = scene.behind(text, suffix=suffix)
    assert front.get("/fixed").body == b"teapot"
    assert front.get("/a/never?c").json()["target"] == "/a/never?c"
    answer = front.get("/b")
    assert (answer.status, answer.body) == (404, b"")


def test_a_token_bucket_of_an_envoy_file_limits(scene, backend):
    bucket = {"max_tokens": 3, "tokens_per_fill": 1, "fill_interval": "300s"}
    always = {
        "default_value": {"numerator": 100, "denominator": "HUNDRED"},
    }
    limit = filter_of(
        "local_ratelimit",
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix="l",
        token_bucket=bucket,
        filter_enabled=always,
        filter_enforced=always,
    )
    front = scene.behind(envoy(backend, filters=[limit]), workers=3)
    got = [front.get("/x").status for _ in range(8)]
    assert got == [200] * 3 + [429] * 5
    assert len(backend.requests) == 3


def test_what_an_envoy_file_asks_for_and_is_not_known_is_refused(
    run, file, backend
):
    config = envoy(backend)
    (cluster,) = config["static_resources"]["clusters"]
    cluster["eds_cluster_config"] = {}
    cluster["conect_timeout"] = "1s"
    config["admin"] = {"adress": {}}
    result = run("check", file(config))
    assert result.returncode == 78
    for word in ("eds_cluster_config", "connect_timeout", "adress"):
        assert word in result.stderr, word
    lua = filter_of("lua", "lua.v3.Lua", inline_code="x")
    unknown = {"match": {"prefix": "/"}, "route": {"cluster": "two"}}
    for word, config in {
        "lua": envoy(backend, filters=[lua]),
        "two": envoy(backend, [unknown]),
    }.items():
        result = run("check", file(config))
        assert result.returncode == 78
        assert word in result.stderr


def without_modules(node):
    """What Envoy has no filter for is taken out."""
    if isinstance(node, list):
        return [without_modules(n) for n in node if not is_module(n)]
    if isinstance(node, dict):
        return {
            k: without_modules(v) for k, v in node.items() if not is_module(v)
        }
    return node


def is_module(node):
    if not isinstance(node, dict):
        return False
    kind = node.get("typed_config", node).get("@type", "")
    return "dynamic_modules" in kind


def envoy_program():
    pattern = f"{sys.prefix}/lib/python*/site-packages/envoy/_bin/envoy"
    found = glob.glob(pattern)
    if not found:
        why = "no Envoy: packaging/deps test installs it"
        assert os.environ.get("CI") != "true", why
        pytest.skip(why)
    return found[0]


def test_a_real_envoy_loads_the_expanded_form(run, file, backend, tmp_path):
    config = with_jwt(
        backend,
        {"rate_limit": "2/300s", "methods": ["GET"]},
        breaker={"failures": 3, "open_for": "60s"},
        cors={"origins": ["http://a.example"]},
        transforms={
            "request": [
                {"add": "X-Gateway", "value": "sallyport"},
                {"rewrite": "^/v1/(.*)", "to": "/\\1"},
            ],
            "response": [{"remove": "X-Powered-By"}],
        },
    )
    config["access_log"] = str(tmp_path / "access.log")
    config["listen"] = "127.0.0.1:9999"
    result = run("expand", file(config), env=ENV)
    assert result.returncode == 0, result.stderr
    assert "dynamic_modules" in result.stdout
    loaded = without_modules(yaml.safe_load(result.stdout))
    path = file(loaded, "envoy.json")
    checked = subprocess.run(
        [envoy_program(), "--mode", "validate", "-c", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stdout


def test_a_leeway_of_nothing_is_refused(run, file, backend):
    """To Envoy a clock skew of 0 is one of a minute."""
    result = run(
        "check", file(with_jwt(backend, jwt={"leeway": "0s"})), env=ENV
    )
    assert result.returncode == 78
    assert "leeway" in result.stderr


def test_no_secret_is_shown_by_check(run, file, backend):
    result = run("check", file(with_jwt(backend)), env=ENV)
    assert result.returncode == 0
    assert tokens.SECRET not in result.stdout + result.stderr
