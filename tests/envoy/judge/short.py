"""Cases of the short form: Sallyport serves it, Envoy its expansion, with our
filters in libsallyport.so.

    about: what it shows, in a sentence
    short: {...}           the short form; where it listens and logs is added
    env: {NAME: value}     environment of both programs
    files: {name: text}    as in other cases
    tokens: {NAME: {...}}  claims of a token for @NAME@ in requests, good for an
                           hour and signed with the secret of harness/tokens.py,
                           which is in JWT_SECRET. "alg" and "secret" change
                           that; a "key" of ES256 or RS256 signs with a key
                           whose public half is in @FOLDER@/jwks.json
    requests: [...]        as in other cases
"""

import json
import os
import re
import subprocess

import yaml
from harness import servers
from harness.tokens import SECRET, claims, hmac_token

from .case import Case, Request, filled
from .compare import alike
from .programs import Envoy

MODULE_FOLDER = os.path.dirname(os.path.abspath(servers.PROGRAM))
# Whatever the two are sure to differ in.
MOMENTARY = ("timestamp", "duration_ms")
UPTIME = re.compile(r'"uptime":\d+')


def module_environment(state):
    return {
        "ENVOY_DYNAMIC_MODULES_SEARCH_PATH": MODULE_FOLDER,
        "SALLYPORT_STATE": state,
    }


def expanded(path, env):
    done = subprocess.run(
        [servers.PROGRAM, "expand", path],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def filled_request(entry, texts):
    if not isinstance(entry, dict):
        return filled(entry, texts)
    return {
        name: filled(value, texts) if name in ("request", "raw") else value
        for name, value in entry.items()
    }


def token(payload, keys):
    payload = dict(payload)
    alg = payload.pop("alg", "HS256")
    secret = payload.pop("secret", SECRET)
    key = keys.get(payload.pop("key", None))
    payload = claims(**payload)
    return key.token(payload) if key else hmac_token(payload, alg, secret)


class ShortCase(Case):
    known = {"about", "short", "env", "files", "tokens", "requests"}

    def __init__(self, path, keys=None):
        """keys makes a private key by its algorithm."""
        super().__init__(path)
        self.env = {"JWT_SECRET": SECRET, **self.env}
        tokens = self.parts.get("tokens") or {}
        algs = sorted({t["key"] for t in tokens.values() if "key" in t})
        if not keys:
            return
        made = {alg: keys(alg) for alg in algs}
        if made:
            jwks = {"keys": [key.jwk() for key in made.values()]}
            self.files = {"jwks.json": json.dumps(jwks), **self.files}
        texts = {name: token(t, made) for name, t in tokens.items()}
        self.requests = [
            Request(filled_request(r, texts)) for r in self.parts["requests"]
        ]

    def text(self, places):
        short = {
            "listen": "127.0.0.1:@PORT@",
            "access_log": "@FOLDER@/access.log",
            **self.parts["short"],
        }
        return filled(yaml.safe_dump(short, sort_keys=False), places)


class Expanded(ShortCase):
    """The same case as Envoy gets it."""

    def __init__(self, path, keys):
        super().__init__(path, keys)
        self.env = {**self.env, **module_environment("@FOLDER@/state")}

    def text(self, places):
        path = servers.write(
            places["FOLDER"] + "/short.yaml", super().text(places)
        )
        return expanded(path, servers.environment(self.env))


class EnvoyWithModule(Envoy):
    def counters(self):
        """Ours under the names that they have in Sallyport."""
        return {
            re.sub(r"^sallyport\.", "http.sallyport.", name): value
            for name, value in super().counters().items()
        }


COUNTED = re.compile(r"http\.sallyport\.(cors|jwt_authn|rate_limit|breaker)\..*")


def counted(counters):
    return {
        f"counter:{name}": value
        for name, value in counters.items()
        if COUNTED.fullmatch(name)
    }


def logged(text):
    out = {}
    for i, line in enumerate(text.splitlines()):
        fields = json.loads(line)
        if fields["path"] and fields["path"].startswith("/health"):
            del fields["bytes_sent"]  # varies with the uptime
        for name, value in fields.items():
            if name not in MOMENTARY:
                out[f"log[{i}].{name}"] = alike(str(value))
    return out


def without_uptime(request, parts):
    """How long it has been up, and how many digits that has."""
    if " /health" not in request.title:
        return parts
    out = {**parts, "body": UPTIME.sub('"uptime":<ms>', parts["body"])}
    if "application/json" in out.get("header:content-type", ()):
        del out["header:content-length"]
    return out
