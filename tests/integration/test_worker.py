"""Processes, signals, and clients and web servers that misbehave."""

import os
import resource
import signal
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import client, fcgi, servers
from harness.config import one_route
from harness.process import accepts, free_port, is_alive
from harness.wait import until


def fast(gateway):
    return fcgi.request(gateway.address, "GET", "/api/x").status


def test_a_thousand_slow_requests_run_at_once_in_one_worker(scene, backend):
    """All of them are at the backend before the first is answered."""
    n = 1000
    front = scene.behind(one_route(backend, {"timeout": "60s"}))
    data = client.encode_request("GET", "/api/wait")
    sockets = []
    try:
        for _ in range(n):
            s = client.connect(front.address, 60)
            sockets.append(s)
            s.sendall(data)
        backend.wait_in_flight(n)
        backend.release()
        answers = Counter(
            client.Response(client.read_all(s)).body for s in sockets
        )
    finally:
        for s in sockets:
            s.close()
    assert answers == {b"released\n": n}
    assert backend.max_in_flight == n


def test_a_killed_worker_is_replaced(scene, backend):
    gateway = scene.gateway(one_route(backend), workers=2)
    before = set(gateway.workers())
    os.kill(min(before), signal.SIGKILL)
    until(lambda: not is_alive(min(before)), "it is gone")
    until(
        lambda: len(gateway.workers()) == 2
        and set(gateway.workers()) != before,
        "another takes its place",
    )
    for _ in range(10):
        assert fast(gateway) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_under_way_are_finished_at_the_end(scene, backend, number):
    gateway = scene.gateway(one_route(backend), workers=2)
    with ThreadPoolExecutor(4) as pool:
        waiting = [
            pool.submit(fcgi.request, gateway.address, "GET", "/api/wait")
            for _ in range(4)
        ]
        backend.wait_in_flight(4)
        gateway.send(number)
        until(lambda: not accepts(gateway.address), "no new ones are taken")
        assert is_alive(gateway.pid)
        backend.release()
        answers = [w.result() for w in waiting]
    assert all(a.status == 200 and a.ended for a in answers)
    assert all(a.body == b"released\n" for a in answers)
    assert gateway.wait() == 0


def test_workers_end_when_their_master_is_killed(scene, backend):
    gateway = scene.gateway(one_route(backend), workers=2)
    gateway.expected = (-signal.SIGKILL,)
    workers = gateway.workers()
    gateway.send(signal.SIGKILL)
    until(lambda: not any(map(is_alive, workers)), "workers end")


def test_a_front_that_stalls_in_its_params_holds_up_nobody(scene, backend):
    gateway = scene.gateway(one_route(backend))
    whole = fcgi.encode(fcgi.params_for("GET", "/api/slow"))
    stalled = []
    for cut in (1, 8, 12, 16, 20, 24, 60, len(whole) - 30):
        s = client.connect(gateway.address)
        s.sendall(whole[:cut])
        stalled.append((s, cut))
    for _ in range(5):
        assert fast(gateway) == 200
    for s, cut in stalled:
        s.sendall(whole[cut:])
        assert fcgi.read_answer(s).status == 200
        s.close()


def test_a_truncated_params_stream_is_never_served(scene, backend):
    gateway = scene.gateway(one_route(backend))
    params = fcgi.pairs(
        fcgi.params_for("GET", "/api/cut", ("HTTP_X", "y" * 200))
    )
    whole = fcgi.begin() + fcgi.stream(fcgi.PARAMS, params)
    for cut in range(0, len(whole), 37):
        with client.connect(gateway.address) as s:
            s.sendall(whole[:cut])
            s.shutdown(socket.SHUT_WR)
            assert fcgi.read_answer(s).status in (0, 400)
    assert fast(gateway) == 200
    assert [r.target for r in backend.requests] == ["/x"]


BROKEN = {
    "version 0": fcgi.record(fcgi.BEGIN, b"\0\1\0\0\0\0\0\0", version=0),
    "no begin": fcgi.stream(fcgi.PARAMS, b""),
    "short begin": fcgi.record(fcgi.BEGIN, b"\0\1"),
    "begin twice": fcgi.begin() + fcgi.begin(),
    "unknown role": fcgi.begin(role=9) + fcgi.stream(fcgi.PARAMS, b""),
    "stdin before params end": fcgi.begin()
    + fcgi.record(fcgi.PARAMS, b"\1\1ab")
    + fcgi.record(fcgi.STDIN, b"x"),
    "value past the end": fcgi.begin()
    + fcgi.stream(fcgi.PARAMS, b"\x05\x7fabcde"),
    "length of 2 GiB": fcgi.begin()
    + fcgi.stream(fcgi.PARAMS, b"\xff\xff\xff\xfe\xff\xff\xff\xfeab"),
    "sums that wrap": fcgi.begin()
    + fcgi.stream(
        fcgi.PARAMS, b"\xff\xff\xff\xff\x80\x00\x00\x01" + b"a" * 90
    ),
    "get values, many": fcgi.record(
        fcgi.GET_VALUES, fcgi.pairs([("FCGI_MAX_CONNS", "")] * 300), 0
    ),
    "unknown management": fcgi.record(77, b"x" * 500, 0) * 50,
    "no params at all": fcgi.begin()
    + fcgi.stream(fcgi.PARAMS, b"")
    + fcgi.stream(fcgi.STDIN, b""),
    "zeros": b"\0" * 4096,
    "text": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "only params": fcgi.begin()
    + fcgi.record(fcgi.PARAMS, b"\1\1ab" * 16000) * 20,
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_broken_records_harm_nobody(scene, backend, name):
    gateway = scene.gateway(one_route(backend))
    before = gateway.workers()
    with client.connect(gateway.address) as s:
        try:
            s.sendall(BROKEN[name])
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        client.read_all(s)
    assert fast(gateway) == 200
    assert gateway.workers() == before
    assert [r.target for r in backend.requests] == ["/x"]


def test_a_second_request_on_a_connection_is_served(scene, backend):
    """Kept connections, as nginx uses them, also with a body left unread."""
    gateway = scene.gateway(one_route(backend))
    with client.connect(gateway.address) as s:
        for i, stdin in enumerate([b"", b"x" * 100000, b"", b"y"]):
            params = fcgi.params_for(
                "POST",
                "/api/none" if i == 1 else "/api/sink",
                ("CONTENT_LENGTH", str(len(stdin))),
            )
            if i == 1:
                params = [
                    (n, "/nowhere" if n == "REQUEST_URI" else v)
                    for n, v in params
                ]
            s.sendall(fcgi.encode(params, stdin, flags=1))
            answer = fcgi.read_answer(s)
            assert answer.ended
            assert answer.status == (404 if i == 1 else 200)


def test_two_requests_sent_together_are_both_served(scene, backend):
    gateway = scene.gateway(one_route(backend))
    with client.connect(gateway.address) as s:
        first = fcgi.encode(fcgi.params_for("GET", "/api/1"), flags=1)
        second = fcgi.encode(fcgi.params_for("GET", "/api/2"))
        s.sendall(first + second)
        assert b'"/1"' in fcgi.read_answer(s).body
        assert b'"/2"' in fcgi.read_answer(s).body


def test_idle_kept_connections_hold_up_nobody(scene, backend):
    gateway = scene.gateway(one_route(backend))
    idle = []
    for _ in range(50):
        s = client.connect(gateway.address)
        s.sendall(fcgi.encode(fcgi.params_for("GET", "/api/x"), flags=1))
        assert fcgi.read_answer(s).status == 200
        idle.append(s)
    assert fast(gateway) == 200
    for s in idle:
        s.close()


def test_a_request_whose_client_has_left_is_cancelled(scene, backend):
    front = scene.behind(
        one_route(backend, {"timeout": "100s"}), front="nginx"
    )
    s = client.connect(front.address)
    s.sendall(client.encode_request("GET", "/api/never"))
    backend.wait_in_flight(1)
    s.close()
    until(lambda: backend.in_flight == 0, "the backend is left alone")
    assert front.get("/api/x").status == 200
    lines = front.log.wait(2)
    assert {line["status"] for line in lines} >= {200}


def test_a_shortage_of_descriptors_passes(scene, backend):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    gateway = scene.gateway(
        one_route(backend, {"timeout": "60s"}), preexec=few
    )
    sockets = []
    data = fcgi.encode(fcgi.params_for("GET", "/api/wait"))
    try:
        for _ in range(120):
            s = client.connect(gateway.address)
            s.sendall(data)
            sockets.append(s)
        backend.wait_in_flight(10)
        backend.release()
        answers = [fcgi.read_answer(s) for s in sockets]
    finally:
        for s in sockets:
            s.close()
    statuses = Counter(a.status for a in answers)
    assert set(statuses) <= {200, 503}, statuses
    assert statuses[200] >= 10
    assert fast(gateway) == 200
    assert len(gateway.workers()) == 1


def test_it_listens_where_the_file_says(scene, backend):
    folder = scene.new_folder()
    address = f"{folder}/own.sock"
    config = {**one_route(backend), "listen": f"unix:{address}"}
    gateway = scene.keep(
        servers.Sallyport(folder, config, listen="as configured")
    )
    gateway.wait_for(address)
    assert fcgi.request(address, "GET", "/api/x").status == 200


def test_it_listens_on_tcp_and_in_several_places(scene, backend):
    port = free_port()
    gateway = scene.gateway(
        one_route(backend), options=["--listen", f"127.0.0.1:{port}"]
    )
    address = ("127.0.0.1", port)
    until(lambda: accepts(address), "it listens on TCP")
    assert fcgi.request(address, "GET", "/api/x").status == 200
    assert fast(gateway) == 200


def test_it_takes_the_sockets_of_systemd(scene, backend):
    folder = scene.new_folder()
    path = f"{folder}/given.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(100)
        config = servers.write(f"{folder}/c.yaml", one_route(backend))
        # What systemd does before it starts a service.
        handover = f'LISTEN_PID=$$ exec "$@" 3<&{listener.fileno()}'
        process = servers.Child(
            "sallyport",
            [
                "/bin/bash",
                "-c",
                handover,
                "bash",
                servers.PROGRAM,
                "serve",
                "-c",
                config,
                "--workers",
                "1",
                "--state",
                f"{folder}/state",
                "--access-log",
                f"{folder}/log",
            ],
            folder,
            servers.environment({"LISTEN_FDS": "1"}),
            listener=listener.fileno(),
        )
        scene.keep(process)
        answer = fcgi.request(path, "GET", "/api/x")
    assert answer.status == 200


def test_a_socket_that_is_in_use_is_not_taken(scene, backend):
    config = one_route(backend)
    first = scene.gateway(config)
    folder = scene.new_folder()
    second = servers.Child(
        "second",
        [
            servers.PROGRAM,
            "serve",
            "-c",
            first.config,
            "--listen",
            f"unix:{first.address}",
            "--state",
            f"{folder}/state",
            "--access-log",
            f"{folder}/log",
        ],
        folder,
        servers.environment(),
    )
    assert second.wait() not in (0, 64, 78)
    assert first.address in second.stderr()
    assert fast(first) == 200


def test_a_socket_left_behind_is_taken_over(scene, backend):
    config = one_route(backend)
    folder = scene.new_folder()
    first = scene.gateway(config, folder=folder)
    first.expected = (-signal.SIGKILL,)
    workers = first.workers()
    first.send(signal.SIGKILL)
    first.wait()
    until(lambda: not any(map(is_alive, workers)), "workers end")
    second = scene.gateway(config, folder=folder)
    assert fast(second) == 200


def test_a_flood_of_clients_that_hang_up_leaves_nothing_open(scene, backend):
    front = scene.behind(one_route(backend))
    (worker,) = front.gateway.workers()

    def descriptors():
        return len(os.listdir(f"/proc/{worker}/fd"))

    assert front.get("/api/x").status == 200

    def rude(_):
        with client.connect(front.gateway.address) as s:
            s.sendall(fcgi.encode(fcgi.params_for("GET", "/api/delay/50")))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(rude, range(200)))
    until(lambda: backend.in_flight == 0, "the backend is quiet")
    until(lambda: descriptors() < 120, "connections are closed")
    assert front.get("/api/x").status == 200
