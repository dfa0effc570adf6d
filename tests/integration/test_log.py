"""The access log: one line of JSON for each request."""

import datetime
import fcntl
import json
import os
import signal

from harness import fcgi
from harness.config import ENV, one_route, with_jwt
from harness.wait import until


def test_a_line_tells_what_happened(scene, backend):
    front = scene.behind(one_route(backend))
    answer = front.request("POST", "/api/status/201?a=b", body=b"12345")
    line = front.log.of(answer)
    assert line["method"] == "POST"
    assert line["path"] == "/api/status/201?a=b"
    assert line["status"] == 201
    assert line["level"] == "info"
    assert line["client"] == "127.0.0.1"
    assert line["upstream"] == backend.authority
    assert line["route"]
    assert 0 <= line["duration_ms"] < 20000
    assert line["bytes_received"] == 5
    assert line["bytes_sent"] == len(b"status 201\n")
    assert not line["reason"] or line["reason"] == "via_upstream"
    when = datetime.datetime.fromisoformat(
        line["timestamp"].replace("Z", "+00:00")
    )
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - when).total_seconds()) < 60


def test_there_is_one_line_for_each_request(scene, backend):
    front = scene.behind(with_jwt(backend), env=ENV, workers=2)
    answers = [front.get("/api/x") for _ in range(10)]
    answers += [front.get("/nowhere") for _ in range(10)]
    lines = front.log.wait(20)
    assert len(lines) == 20
    assert sorted(line["request_id"] for line in lines) == sorted(
        a.header("x-request-id") for a in answers
    )
    reasons = {line["status"]: line["reason"] for line in lines}
    assert reasons[401] and reasons[404] and reasons[401] != reasons[404]


def test_whatever_bytes_a_client_sends_the_line_is_json(scene, backend):
    gateway = scene.gateway(one_route(backend))
    nasty = [
        '/api/"quoted"\\',
        "/api/\xff\xfe\xc3\x28",
        "/api/\u00e9\x7f",
        "/api/\x1b[31mred",
        '/api/x"}\n{"status":200',
        "/api/\xed\xa0\x80",
        "/api/" + "%" * 50,
    ]
    for uri in nasty:
        params = fcgi.params_for("GET", "/").copy()
        params = [p for p in params if p[0] != "REQUEST_URI"]
        content = fcgi.pairs(params)
        name, value = b"REQUEST_URI", uri.encode("latin-1")
        content += fcgi.length(len(name)) + fcgi.length(len(value))
        content += name + value
        for name in (
            b"HTTP_USER_AGENT",
            b"HTTP_X_REQUEST_ID",
            b"REQUEST_METHOD",
        ):
            if name == b"REQUEST_METHOD":
                continue
            content += fcgi.length(len(name)) + fcgi.length(len(value))
            content += name + value
        from harness.client import connect

        with connect(gateway.address) as s:
            s.sendall(
                fcgi.begin()
                + fcgi.stream(fcgi.PARAMS, content)
                + fcgi.stream(fcgi.STDIN, b"")
            )
            assert fcgi.read_answer(s).ended
    lines = gateway.log.wait(len(nasty))
    assert len(lines) == len(nasty)
    with open(gateway.log.path, "rb") as f:
        for line in f:
            json.loads(line.decode("utf-8"))


def test_a_signal_opens_the_file_anew(scene, backend):
    front = scene.behind(one_route(backend), workers=2)
    first = front.get("/api/x")
    front.log.of(first)
    os.rename(front.log.path, front.log.path + ".1")
    front.gateway.send(signal.SIGUSR1)
    until(lambda: os.path.exists(front.log.path), "a new file is there")

    def lands_in_new_file():
        front.get("/api/x")
        return len(front.log.lines()) >= 4

    until(lands_in_new_file, "lines are in the new file")
    old = open(front.log.path + ".1").read()
    assert first.header("x-request-id") in old


def test_the_log_may_go_to_stdout(scene, backend):
    gateway = scene.gateway(one_route(backend), options=["--access-log", "-"])
    assert fcgi.request(gateway.address, "GET", "/api/x").status == 200
    text = until(gateway.stdout, "a line on stdout")
    assert json.loads(text)["status"] == 200


def test_errors_have_a_level_of_their_own(scene, backend):
    front = scene.behind(one_route(backend))
    levels = {
        status: front.log.of(front.get(target))["level"]
        for target, status in [
            ("/api/x", 200),
            ("/nowhere", 404),
            ("/api/reset", 503),
        ]
    }
    assert levels[200] == "info"
    assert levels[503] in ("error", "warn", "warning")


def test_a_full_disk_costs_lines_only(scene, backend):
    gateway = scene.gateway(
        one_route(backend), options=["--access-log", "/dev/full"]
    )
    for _ in range(5):
        assert fcgi.request(gateway.address, "GET", "/api/x").status == 200
    until(lambda: "bytes lost" in gateway.stderr(), "the loss is told")
    assert "/dev/full: No space left on device" in gateway.stderr()


def with_pipe(scene, backend, n):
    """A gateway that logs to a pipe of 4 KiB; has served n requests."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    gateway = scene.gateway(
        one_route(backend),
        options=["--access-log", "-"],
        preexec=lambda: os.dup2(write, 1),
    )
    os.close(write)
    for _ in range(n):
        assert fcgi.request(gateway.address, "GET", "/api/x").status == 200
    return gateway, read


def test_a_pipe_that_nobody_reads_holds_nobody_up(scene, backend):
    gateway, read = with_pipe(scene, backend, 60)
    os.set_blocking(read, False)
    text = b""

    def all_came():
        nonlocal text
        try:
            text += os.read(read, 65536)
        except BlockingIOError:
            pass
        return text.count(b"\n") >= 60

    until(all_came, "60 lines in the pipe")
    assert [json.loads(line)["status"] for line in text.splitlines()] == [
        200
    ] * 60
    os.close(read)


def test_a_pipe_whose_reader_is_gone_costs_lines_only(scene, backend):
    gateway, read = with_pipe(scene, backend, 1)
    os.close(read)
    for _ in range(5):
        assert fcgi.request(gateway.address, "GET", "/api/x").status == 200
    until(lambda: "Broken pipe" in gateway.stderr(), "the loss is told")
