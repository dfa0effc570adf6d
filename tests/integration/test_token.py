"""sallyport token: what it makes is accepted, and it says why others are not."""

import json
import subprocess
import time

from harness import servers, tokens
from harness.config import ENV, with_jwt
from harness.servers import write


def config(scene, backend, **jwt):
    settings = {"issuer": "https://login.test", "audiences": ["api"], **jwt}
    return with_jwt(backend, jwt=settings)


def test_a_token_that_is_made_opens_the_way(scene, backend, run, tmp_path):
    front = scene.behind(config(scene, backend), env=ENV)
    made = run(
        *("token", "mint", "-c", front.gateway.config),
        *("--claim", "sub=alice", "--claim", "level=7", "--for", "60s"),
        env=ENV,
    )
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert front.get("/api/x", tokens.bearer(token)).status == 200
    seen = run("token", "check", "-c", front.gateway.config, token, env=ENV)
    assert seen.returncode == 0
    assert "accepted" in seen.stdout
    assert '"level":7' in seen.stdout and '"sub":"alice"' in seen.stdout


def test_each_reason_is_said(backend, scene, run, tmp_path):
    file = write(f"{tmp_path}/c.yaml", json.dumps(config(scene, backend)))

    def check(token):
        out = run("token", "check", "-c", file, token, env=ENV)
        assert out.returncode == 1, out.stdout
        return out.stdout

    def with_claims(**claims):
        base = {"iss": "https://login.test", "aud": "api", "sub": "a"}
        return tokens.hmac_token({**base, "exp": time.time() + 60, **claims})

    assert "Jwt is not in the form" in check("nonsense")
    assert "Jwt is expired" in check(with_claims(exp=1_000_000_000))
    assert "ago" in check(with_claims(exp=1_000_000_000))
    wrong = check(with_claims(iss="https://other.test"))
    assert 'its issuer is to be "https://login.test"' in wrong
    assert 'its audience may be "api"' in check(with_claims(aud="web"))
    good = with_claims()
    changed = good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")
    assert "signed with another key, or changed" in check(changed)


def test_what_cannot_be_done_is_said(backend, scene, run, tmp_path):
    file = write(f"{tmp_path}/c.yaml", json.dumps(config(scene, backend)))
    assert run("token", "steal", "-c", file, env=ENV).returncode == 64
    out = run("token", "mint", "-c", file, "--claim", "x", env=ENV)
    assert out.returncode == 64 and "NAME=VALUE" in out.stderr
    out = run("token", "mint", "-c", file, "--provider", "nobody", env=ENV)
    assert out.returncode == 1 and "no provider" in out.stderr
    assert run("token", "mint", "-c", file).returncode == 78
    bare = write(
        f"{tmp_path}/b.yaml",
        json.dumps({"routes": [{"path": "/", "backend": backend.url}]}),
    )
    out = run("token", "mint", "-c", bare)
    assert out.returncode == 1 and "asks for no token" in out.stderr


def test_tools_are_told_in_json(backend, scene, run, tmp_path):
    file = write(f"{tmp_path}/c.yaml", json.dumps(config(scene, backend)))

    def check(token):
        out = run("token", "check", "-c", file, "--json", token, env=ENV)
        seen = json.loads(out.stdout)
        assert seen["accepted"] == (out.returncode == 0)
        return seen

    made = run("token", "mint", "-c", file, "--claim", "sub=a", env=ENV)
    seen = check(made.stdout.strip())
    assert seen["accepted"] and seen["well_formed"]
    assert seen["algorithm"] == "HS256" and seen["claims"]["sub"] == "a"
    assert seen["expires"] > time.time()
    assert seen["providers"] == [{"name": "jwt", "accepted": True}]
    wrong = tokens.hmac_token(
        {"iss": "https://login.test", "aud": "web", "exp": time.time() + 60}
    )
    seen = check(wrong)
    (provider,) = seen["providers"]
    assert provider["audiences"] == ["api"]
    assert provider["reason"].startswith("Audiences in Jwt")
    seen = check("nonsense")
    assert not seen["well_formed"] and seen["providers"] == []
    assert seen["reason"].startswith("Jwt is not in the form")


def test_a_token_comes_from_standard_input(backend, scene, run, tmp_path):
    file = write(f"{tmp_path}/c.yaml", json.dumps(config(scene, backend)))
    made = run("token", "mint", "-c", file, env=ENV).stdout
    for text in (made, "Bearer " + made, made.strip() + "\r\n"):
        out = subprocess.run(
            [servers.PROGRAM, "token", "check", "-c", file],
            input=text,
            env=servers.environment(ENV),
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        assert out.returncode == 0, out.stdout
