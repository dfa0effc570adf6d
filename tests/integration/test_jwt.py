"""Tokens: which are good, which are not, and what the backend learns."""

import json
import time

import pytest

from harness import fcgi, tokens
from harness.config import ENV, one_route, with_jwt
from harness.tokens import b64, bearer, claims, hmac_token


@pytest.fixture
def front(scene, backend):
    return scene.behind(with_jwt(backend), env=ENV)


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_good_token_passes(front, alg):
    assert front.get("/api/x", bearer(hmac_token(alg=alg))).status == 200


def test_the_scheme_is_read_in_any_case(front):
    token = hmac_token()
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {token}"}
        assert front.get("/api/x", headers).status in (200, 401)


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer ", "Basic dTpw"]
)
def test_without_a_token_it_is_401(front, backend, value):
    headers = {} if value is None else {"Authorization": value}
    answer = front.get("/api/x", headers)
    assert answer.status == 401
    assert answer.header("www-authenticate").startswith("Bearer")
    assert answer.json()["error"]
    assert front.log.of(answer)["reason"]
    assert not backend.requests


NOW = int(time.time())
HEADER = {"alg": "HS256", "typ": "JWT"}


def bad_tokens():
    good = hmac_token()
    head, payload, signature = good.split(".")
    unsigned = b64(b'{"alg":"none"}')
    return {
        "another secret": hmac_token(
            secret="another secret, also long enough"
        ),
        "no signature": f"{head}.{payload}.",
        "two parts": f"{head}.{payload}",
        "four parts": f"{good}.{signature}",
        "alg none": f"{unsigned}.{payload}.",
        "alg none, signed": f"{unsigned}.{payload}.{signature}",
        "alg None": f"{b64(json.dumps({'alg': 'None'}).encode())}.{payload}.",
        "no alg": hmac_token(header={"typ": "JWT"}),
        "alg of another kind": hmac_token(header={"alg": "RS256"}),
        "unknown alg": hmac_token(header={"alg": "HS1"}),
        "alg that is no text": hmac_token(header={"alg": ["HS256"]}),
        "alg twice": hmac_token(header=b'{"alg":"HS256","alg":"none"}'),
        "crit": hmac_token(header={**HEADER, "crit": ["exp"]}),
        "expired": hmac_token(claims(exp=NOW - 3600)),
        "exp that is text": hmac_token(claims(exp=str(NOW + 3600))),
        "exp twice": hmac_token(
            b'{"exp":%d,"exp":%d}' % (NOW - 9000, NOW + 9000)
        ),
        "not yet": hmac_token(claims(nbf=NOW + 3600)),
        "payload is a list": hmac_token(b"[]"),
        "payload is no JSON": hmac_token(b"{"),
        "changed payload": f"{head}.{b64(b'{}')}.{signature}",
        "padded": good + "==",
        "plain base64": good.replace("-", "+").replace("_", "/") + "+",
        "blank inside": f"{head}. {payload}.{signature}",
        "bad base64": f"{head}.{payload[:-1]}!.{signature}",
        "text after it": f"{good} x",
    }


@pytest.mark.parametrize("name", list(bad_tokens()))
def test_a_bad_token_is_401(front, backend, name):
    answer = front.get("/api/x", bearer(bad_tokens()[name]))
    assert answer.status == 401, name
    assert "error=" in answer.header("www-authenticate")
    assert not backend.requests


@pytest.mark.parametrize(
    "alg", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
)
def test_keys_of_a_set_verify(scene, backend, keys, alg):
    key = keys(alg)
    jwks = json.dumps({"keys": [key.jwk()]})
    front = scene.behind(
        one_route(backend, {"auth": "jwt"}, jwt={"jwks": {"inline": jwks}})
    )
    assert front.get("/api/x", bearer(key.token())).status == 200
    head, payload, signature = key.token().split(".")
    other = key.token(claims(sub="mallory")).split(".")[1]
    answer = front.get("/api/x", bearer(f"{head}.{other}.{signature}"))
    assert answer.status == 401


def test_the_public_key_is_no_secret(scene, backend, keys):
    """A token signed by HMAC with the public key's own text."""
    key = keys("RS256")
    jwks = json.dumps({"keys": [key.jwk()]})
    front = scene.behind(
        one_route(backend, {"auth": "jwt"}, jwt={"jwks": {"inline": jwks}})
    )
    for secret in (key.public_pem(), key.public_pem().strip(), jwks, ""):
        for header in (HEADER, {**HEADER, "kid": key.kid}):
            token = hmac_token(secret=secret, header=header)
            assert front.get("/api/x", bearer(token)).status == 401
    assert not backend.requests


def test_a_key_set_may_be_a_file(scene, backend, keys, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(
        json.dumps(
            {"keys": [keys("ES256").jwk(), keys("RS256").jwk(kid="k2")]}
        )
    )
    front = scene.behind(
        one_route(backend, {"auth": "jwt"}, jwt={"jwks": {"file": str(path)}})
    )
    for token in (
        keys("ES256").token(),
        keys("RS256").token(header={"alg": "RS256", "kid": "k2"}),
    ):
        assert front.get("/api/x", bearer(token)).status == 200
    mixed = keys("RS256").token(header={"alg": "RS256", "kid": "k1"})
    assert front.get("/api/x", bearer(mixed)).status == 401


def test_issuer_and_audience_are_checked(scene, backend):
    front = scene.behind(
        with_jwt(
            backend, jwt={"issuer": "https://me", "audiences": ["a", "b"]}
        ),
        env=ENV,
    )

    def status(**more):
        return front.get("/api/x", bearer(hmac_token(claims(**more)))).status

    assert status(iss="https://me", aud="a") == 200
    assert status(iss="https://me", aud=["x", "b"]) == 200
    assert status(iss="https://me", aud="c") in (401, 403)
    assert status(iss="https://me") in (401, 403)
    assert status(iss="https://you", aud="a") == 401
    assert status(aud="a") == 401


def test_leeway_is_for_clocks_that_differ(scene, backend):
    front = scene.behind(with_jwt(backend, jwt={"leeway": "120s"}), env=ENV)

    def status(**more):
        return front.get("/api/x", bearer(hmac_token(claims(**more)))).status

    assert status(exp=int(time.time()) - 30) == 200
    assert status(nbf=int(time.time()) + 30) == 200
    assert status(exp=int(time.time()) - 600) == 401


def test_only_the_algorithms_named_are_accepted(scene, backend):
    front = scene.behind(
        with_jwt(backend, jwt={"algorithms": ["HS512"]}), env=ENV
    )
    assert front.get("/api/x", bearer(hmac_token(alg="HS512"))).status == 200
    assert front.get("/api/x", bearer(hmac_token(alg="HS256"))).status == 401


def test_claims_reach_the_backend_and_forged_ones_do_not(scene, backend):
    config = with_jwt(backend, jwt={"claims": {"sub": "X-User"}})
    gateway = scene.gateway(config, env=ENV)
    token = hmac_token(claims(sub="alice"))
    answer = fcgi.request(
        gateway.address,
        "GET",
        "/api/x",
        ("HTTP_AUTHORIZATION", f"Bearer {token}"),
        ("HTTP_X_USER", "root"),
        ("HTTP_X_USER", "admin"),
    )
    assert answer.status == 200
    fields = json.loads(answer.body)["headers"]
    users = [v for n, v in fields if n.lower().replace("_", "-") == "x-user"]
    assert users == ["alice"]
    absent = fcgi.request(
        gateway.address,
        "GET",
        "/api/x",
        ("HTTP_AUTHORIZATION", f"Bearer {hmac_token(claims(sub=None))}"),
        ("HTTP_X_USER", "root"),
    )
    assert b"root" not in absent.body


def test_a_token_that_was_good_expires(scene, backend):
    """Whatever remembers good tokens must not keep them alive."""
    from harness.wait import until

    front = scene.behind(with_jwt(backend, jwt={"leeway": "0s"}), env=ENV)
    token = bearer(hmac_token(claims(exp=int(time.time()) + 2)))
    assert front.get("/api/x", token).status == 200
    until(lambda: front.get("/api/x", token).status == 401, "it expires")


@pytest.mark.parametrize("source", ["file", "credential"])
def test_the_secret_may_come_from(scene, backend, tmp_path, source):
    (tmp_path / "jwt").write_text(tokens.SECRET)
    secret, env = {"file": str(tmp_path / "jwt")}, {}
    if source == "credential":
        secret, env = {"credential": "jwt"}, {
            "CREDENTIALS_DIRECTORY": str(tmp_path)
        }
    front = scene.behind(
        one_route(backend, {"auth": "jwt"}, jwt={"secret": secret}), env=env
    )
    assert front.get("/api/x", bearer(hmac_token())).status == 200
    wrong = hmac_token(secret="another secret, also long enough")
    assert front.get("/api/x", bearer(wrong)).status == 401


@pytest.mark.parametrize("env", [{}, {"JWT_SECRET": ""}])
def test_without_its_secret_nothing_starts(run, backend, tmp_path, env):
    path = tmp_path / "c.yaml"
    import harness.servers as servers

    servers.write(str(path), with_jwt(backend))
    result = run(
        "serve", "-c", str(path), "--listen", f"unix:{tmp_path}/s", env=env
    )
    assert result.returncode == 78
    assert "JWT_SECRET" in result.stderr
