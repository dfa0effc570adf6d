"""Each file of conf/examples behind a web server, as it stands.

Only the backends' ports and /etc/sallyport are replaced.
"""

import glob
import hashlib
import json
import os
import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import client
from harness.config import ENV
from harness.servers import CONF
from harness.tokens import bearer, claims, hmac_token

# The web server that each is tried behind, and what its curl line gets.
EXAMPLES = {
    "canary": ("nginx", 200),
    "cors": ("caddy", 200),
    "envoy-bootstrap": ("lighttpd", 200),
    "jwt-keys": ("apache", 200),
    "limit-per-claim": ("lighttpd-spawned", 200),
    "limit-per-client": ("apache-fcgid", 200),
    "paths": ("nginx", 200),
    "quickstart": ("lighttpd-cgi", None),
    "redirects": ("haproxy", 308),
    "retries": ("lighttpd", 200),
    "service-token": ("caddy", 200),
    "streaming": ("apache", 200),
}
SERVICE_TOKEN = "a token of the gateway's own"
PAGE = b"We are repairing this"


def text_of(name):
    with open(f"{CONF}/examples/{name}.yaml") as f:
        return f.read()


@pytest.fixture
def behind(scene):
    """The web server with an example behind it, and the two backends."""

    def start(name, files=None, token=""):
        folder = scene.new_folder()
        a, b = scene.backend(), scene.backend()
        text = text_of(name)
        for port, backend in (("3001", a), ("3002", b)):
            text = text.replace(f"127.0.0.1:{port}", backend.authority)
            text = text.replace(
                f"port_value: {port}", f"port_value: {backend.port}"
            )
        for file, content in (files or {}).items():
            assert f"/etc/sallyport/{file}" in text
            with open(f"{folder}/{file}", "w") as f:
                f.write(content)
        text = text.replace("/etc/sallyport", folder)
        front = scene.behind(
            text,
            front=EXAMPLES[name][0],
            folder=folder,
            env={**ENV, "SERVICE_TOKEN": SERVICE_TOKEN},
        )
        check_curl_line(front, name, token)
        a.requests.clear()
        b.requests.clear()
        return front, a, b

    return start


def check_curl_line(front, name, token):
    """The one at the top."""
    wanted = EXAMPLES[name][1]
    if not wanted:
        return
    line = next(
        x for x in text_of(name).split("\n") if x.startswith("#   curl ")
    )
    words = shlex.split(line[1:].replace("$TOKEN", token))
    method, headers = "GET", {}
    while len(words) > 1:
        word = words.pop(0)
        if word == "-H":
            header, _, value = words.pop(0).partition(": ")
            headers[header] = value
        elif word == "-X":
            method = words.pop(0)
    prefix = "http://localhost"
    assert words[0].startswith(prefix + "/")
    answer = front.request(method, words[0][len(prefix) :], headers)
    assert answer.status == wanted, answer


def test_every_example_is_tried_and_says_what_it_is_for():
    names = {
        os.path.basename(path)[: -len(".yaml")]
        for path in glob.glob(f"{CONF}/examples/*.yaml")
    }
    assert names == set(EXAMPLES)
    for name in names:
        head = text_of(name).split("\n")
        assert head[0].startswith("# ") and len(head[0]) > 40, name
        if EXAMPLES[name][1]:
            assert any(x.startswith("#   curl ") for x in head[:8]), name


def test_jwt_keys(behind, keys):
    key, other = keys("RS256"), keys("ES256")
    good = claims(
        iss="https://login.example.com/", aud="orders", scope="read"
    )
    files = {"jwks.json": json.dumps({"keys": [key.jwk()]})}
    front, backend, _ = behind("jwt-keys", files, key.token(good))
    for token in (
        None,
        other.token(good),
        key.token({**good, "iss": "https://evil.example/"}),
        key.token({**good, "aud": "other"}),
        key.token({**good, "exp": 1}),
    ):
        answer = front.get("/orders/7", bearer(token) if token else {})
        assert answer.status in (401, 403), answer
        assert answer.json()["error"]
    assert not backend.requests
    headers = {**bearer(key.token(good)), "X-User": "admin"}
    answer = front.get("/orders/7", headers)
    assert answer.json()["target"] == "/7"
    assert backend.requests[0].all("x-user") == ["alice"]
    assert backend.requests[0].all("x-scope") == ["read"]
    assert front.get("/public/x").status == 200


def test_limit_per_client(behind):
    front, backend, _ = behind("limit-per-client")
    # One request was that of the curl line.
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda i: front.get(f"/search/{i}"), range(8))
        )
    assert sorted(a.status for a in answers) == [200] * 4 + [429] * 4
    refused = next(a for a in answers if a.status == 429)
    assert 1 <= int(refused.header("retry-after")) <= 60
    assert "r=0" in refused.header("ratelimit")
    assert len(backend.requests) == 4
    upload = [front.request("POST", "/upload", body=b"x") for _ in range(3)]
    assert [a.status for a in upload] == [200, 200, 429]


def test_limit_per_claim(behind):
    token = hmac_token(claims(sub="curl"))
    front, _, _ = behind("limit-per-claim", token=token)
    tokens = [bearer(hmac_token(claims(sub=s))) for s in ("ann", "bob")]
    for token in tokens:
        got = [front.get("/reports/1", token).status for _ in range(4)]
        assert got == [200, 200, 200, 429]
    for key in ("one", "two"):
        got = [
            front.get("/feed", {"X-Api-Key": key}).status for _ in range(4)
        ]
        assert got == [200, 200, 200, 429]
    assert front.get("/reports/1").status == 401


def test_cors(behind):
    front, backend, _ = behind("cors")
    mine = {"Origin": "https://app.example.com"}
    preflight = {**mine, "Access-Control-Request-Method": "PUT"}
    answer = front.request("OPTIONS", "/api/cart", preflight)
    assert answer.header("access-control-allow-origin") == mine["Origin"]
    assert answer.header("access-control-allow-credentials") == "true"
    assert answer.header("access-control-max-age") == "600"
    assert "PUT" in answer.header("access-control-allow-methods")
    evil = {**preflight, "Origin": "https://app.example.com.evil.example"}
    answer = front.request("OPTIONS", "/api/cart", evil)
    assert answer.header("access-control-allow-origin") is None
    assert not backend.requests
    answer = front.get("/api/cart", mine)
    assert answer.status == 200
    assert answer.header("access-control-allow-origin") == mine["Origin"]
    assert "origin" in answer.header("vary").lower()
    answer = front.get("/nowhere", mine)
    assert answer.status == 404


def test_paths(behind):
    front, a, b = behind("paths")
    for target, backend, there in (
        ("/shop/items/7", a, "/items/7"),
        ("/shop/admin/users", b, "/users"),
        ("/wiki/start", b, "/wiki/start"),
        ("/files/a.txt?v=1", a, "/v2/store/a.txt?v=1"),
        ("/shopping", a, "/shopping"),
        ("/store/items/8", a, "/items/8"),
    ):
        answer = front.get(target)
        assert answer.status == 200, answer
        assert backend.requests[-1].target == there, target
    assert front.request("DELETE", "/shop/admin/users").status == 405
    assert len(a.requests) == 4 and len(b.requests) == 2


def test_service_token(behind):
    front, backend, _ = behind("service-token")
    backend.response_headers = [("X-Powered-By", "x"), ("Server", "y")]
    answer = front.get(
        "/internal/headers",
        {"X-Service-Token": "forged", "Cookie": "a=b", "Authorization": "c"},
    )
    assert answer.status == 200
    assert answer.header("x-powered-by") is None
    assert answer.header("strict-transport-security") == "max-age=31536000"
    asked = backend.requests[0]
    assert asked.all("x-service-token") == [SERVICE_TOKEN]
    assert asked.all("x-client") == ["127.0.0.1"]
    assert not asked.all("cookie") and not asked.all("authorization")


def test_streaming(behind):
    front, backend, _ = behind("streaming")
    with client.connect(front.address) as s:
        s.sendall(client.encode_request("GET", "/events/sse"))
        data = b""
        while b"data: first\n\n" not in data:
            part = s.recv(4096)
            assert part, data
            data += part
        assert b"second" not in data
        backend.release()
        answer = client.Response(data + client.read_all(s))
    assert answer.body == b"data: first\n\ndata: second\n\n"
    body = bytes(range(256)) * 4096 * 4
    answer = front.request("PUT", "/upload/sink", body=body)
    assert answer.json() == {
        "bytes": len(body),
        "blake2b": hashlib.blake2b(body).hexdigest(),
    }
    assert front.request("POST", "/events/x", body=b"").status == 405


def test_canary(behind):
    front, a, b = behind("canary")
    for _ in range(5):
        assert front.get("/api/x", {"X-Canary": "yes"}).status == 200
    assert (len(a.requests), len(b.requests)) == (0, 5)
    with ThreadPoolExecutor(8) as pool:
        served = list(
            pool.map(
                lambda _: front.get("/api/x").header("x-served-by"), range(300)
            )
        )
    assert served.count("stable") == len(a.requests)
    assert served.count("canary") == len(b.requests) - 5
    # One in ten; that it is none of 300 does not happen.
    assert 0 < served.count("canary") < 150


def test_retries(behind):
    front, a, b = behind("retries")

    async def fails(stream):
        await stream.read_body()
        await stream.answer(503, (), b"no\n")

    a.on["/half-down"] = fails
    got = [front.get("/half-down").status for _ in range(6)]
    assert got == [200] * 6
    assert len(b.requests) == 6
    # What may have been done is not done again.
    b.on["/half-down"] = fails
    n = len(a.requests) + len(b.requests)
    assert front.request("POST", "/half-down", body=b"x").status == 503
    assert len(a.requests) + len(b.requests) == n + 1
    # Both fail: after three failures in a row they are spared.
    while front.get("/health").json()["circuits"] != {"quotes": "open"}:
        assert front.get("/half-down").status == 503
        assert len(a.requests) + len(b.requests) < n + 8
    n = len(a.requests) + len(b.requests)
    assert front.get("/half-down").status == 503
    assert len(a.requests) + len(b.requests) == n


def test_redirects(behind):
    front, backend, _ = behind("redirects")
    answer = front.get("/x?y", {"Host": "www.example.com"})
    assert answer.status == 301
    assert answer.header("location") == "https://example.com/x?y"
    answer = front.get("/old/page?id=7")
    assert answer.status == 308
    assert answer.header("location") == "http://gateway.test/new/page?id=7"
    assert front.get("/docs").status == 302
    assert not backend.requests
    for target in ("/billing", "/status/502", "/close"):
        answer = front.get(target)
        assert answer.status == 503, answer
        assert PAGE in answer.body
        assert answer.header("content-type") == "text/html; charset=utf-8"
    assert front.get("/billing").header("retry-after") == "600"
    answer = front.get("/status/500")
    assert (answer.status, answer.body) == (500, b"status 500\n")
    assert front.get("/echo").status == 200


def test_envoy_bootstrap(behind):
    front, backend, _ = behind("envoy-bootstrap")
    # The bucket has ten tokens; the curl line took one.
    got = [front.get("/service/1").status for _ in range(12)]
    assert got == [200] * 9 + [429] * 3
    assert {r.target for r in backend.requests} == {"/1"}
    assert backend.requests[0].header("x-edge") == "HTTP/1.1"
    answer = front.get("/services")
    assert (answer.status, answer.body) == (404, b"nothing here\n")
    with open(front.log.path) as f:
        lines = f.read()
    assert '"GET /1 HTTP/1.1" 200 - ' in lines


def test_quickstart(behind):
    front, users, products = behind("quickstart")
    assert front.get("/api/users/1").status == 401
    token = bearer(hmac_token())
    assert front.get("/api/users/1", token).status == 200
    assert users.requests[0].all("x-user") == ["alice"]
    got = [front.get("/api/products").status for _ in range(6)]
    assert got == [200] * 5 + [429]
    assert len(products.requests) == 5
