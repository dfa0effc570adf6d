"""Nothing is lost: master and worker under valgrind, to their ends."""

import glob

import pytest

from harness import client, fcgi, servers, tokens
from harness.config import ENV, with_jwt

VALGRIND = [
    *("valgrind", "--quiet", "--leak-check=full", "--num-callers=30"),
    *("--show-leak-kinds=definite,indirect,possible", "--error-exitcode=99"),
]


@pytest.mark.skipif(
    servers.HAS_SANITIZERS, reason="the sanitizers look for leaks themselves"
)
def test_valgrind_finds_no_error_and_no_leak(scene, backend):
    folder = scene.new_folder()
    config = with_jwt(
        backend,
        {"rate_limit": "5/60s"},
        cors={"origins": ["http://a.test"]},
        breaker={"failures": 2, "open_for": "1s"},
        transforms={"response": [{"remove": "X-Powered-By"}]},
    )
    gateway = scene.gateway(
        config,
        env=ENV,
        folder=folder,
        under=[*VALGRIND, f"--log-file={folder}/valgrind.%p"],
    )
    front = scene.keep(servers.behind_lighttpd(gateway))
    token = tokens.bearer(tokens.hmac_token())
    statuses = [
        front.get(f"/api/{what}", token).status
        for what in ("x", "chunked", "status/503", "reset", "x", "x")
    ]
    assert statuses == [200, 200, 503, 503, 503, 429]
    assert front.get("/api/x").status == 401
    assert front.get("/nothing").status == 404
    body = b"x" * 300_000
    assert front.request("POST", "/api/sink", token, body).status == 429
    with client.connect(gateway.address) as s:
        s.sendall(fcgi.encode(fcgi.params_for("GET", "/api/x"), b"")[:40])
    front.stop()
    gateway.stop()
    reports = glob.glob(f"{folder}/valgrind.*")
    assert len(reports) == 2
    for report in reports:
        with open(report) as f:
            assert f.read() == ""
