"""sallyport doctor: silent on the files of conf/, and finds what is broken."""

import json
import os
import shutil
import socket
import threading

import pytest

from harness import servers
from harness.config import envoy, one_route
from harness.process import free_port

FRONTS = [
    "lighttpd",
    "lighttpd-spawned",
    "lighttpd-cgi",
    "apache",
    "apache-fcgid",
    "nginx",
    "caddy",
    "haproxy",
]


def url_of(front, path="/"):
    return f"http://127.0.0.1:{front.address[1]}{path}"


def state_of(front):
    if front.gateway:
        return front.gateway.state
    return os.path.dirname(front.stdout_path) + "/sallyport.state"


def examined(run, front, *args, path="/"):
    out = run(
        *("doctor", url_of(front, path), "--json"),
        *("--state", state_of(front), *args),
    )
    assert out.stderr == ""
    seen = json.loads(out.stdout)
    problems = [f for f in seen["findings"] if f["severity"] == "problem"]
    assert seen["problems"] == len(problems)
    return out.returncode, problems, seen


@pytest.mark.parametrize("name", FRONTS)
def test_nothing_is_wrong_with_the_files_of_conf(name, scene, backend, run):
    front = scene.behind(one_route(backend), front=name)
    if name.startswith("lighttpd-") or name == "apache-fcgid":
        # The state file is there once a process has started.
        front.get("/api/status/200")
    status, problems, seen = examined(run, front)
    assert problems == []
    assert status == 0
    assert seen["reached"]
    asked = {r.target for r in backend.requests}
    assert asked <= {"/status/200"}


# What is put in place of what, in the file of a front, and what is found.
BROKEN = [
    ("apache", "CGIPassAuth On", "", "authorization", "CGIPassAuth On"),
    (
        "apache",
        "AllowEncodedSlashes NoDecode",
        "",
        "escaped-slash",
        "AllowEncodedSlashes NoDecode",
    ),
    ("apache", "flushpackets=on", "", "stream events", "flushpackets=on"),
    (
        "apache",
        "LimitRequestFieldSize 16380",
        "",
        "request-header",
        "LimitRequestFieldSize 16380",
    ),
    (
        "apache",
        "SetEnv ap_trust_cgilike_cl 1",
        "",
        "head-length",
        "SetEnv ap_trust_cgilike_cl 1",
    ),
    (
        "apache",
        "CGIPassAuth On",
        "CGIPassAuth On\n<LimitExcept GET POST HEAD>\n"
        "Require all denied\n</LimitExcept>",
        "method",
        "<LimitExcept>",
    ),
    ("apache-fcgid", "CGIPassAuth On", "", "authorization", "CGIPassAuth On"),
    (
        "apache-fcgid",
        "FcgidMaxRequestLen 1073741824",
        "",
        "body-limit chunked-body",
        "FcgidMaxRequestLen 1073741824",
    ),
    (
        "apache-fcgid",
        "FcgidOutputBufferSize 0",
        "",
        "events stream",
        "FcgidOutputBufferSize 0",
    ),
    (
        "apache-fcgid",
        "FcgidMaxProcessesPerClass 16",
        "FcgidMaxProcessesPerClass 1",
        "serial",
        "FcgidMaxProcessesPerClass 16",
    ),
    (
        "lighttpd",
        "server.stream-response-body := 2",
        "",
        "events stream",
        "server.stream-response-body := 2",
    ),
    (
        "lighttpd",
        "server.stream-response-body := 2",
        "server.stream-response-body := 2\nserver.max-request-size := 1000",
        "body-limit",
        "server.max-request-size := 0",
    ),
    (
        "lighttpd",
        "server.stream-response-body := 2",
        "server.stream-response-body := 2\nserver.stream-request-body := 2",
        "chunked-body",
        "server.stream-request-body := 0",
    ),
    (
        "lighttpd",
        "server.max-request-field-size := 32768",
        "",
        "request-header",
        "server.max-request-field-size := 32768",
    ),
    (
        "lighttpd",
        '"method-get-body" => "enable"',
        '"method-get-body" => "enable", "url-path-2f-decode" => "disable",'
        '"url-path-2f-reject" => "enable"',
        "escaped-slash",
        "url-path-2f-reject",
    ),
    (
        "lighttpd",
        'server.modules += ( "mod_fastcgi" )',
        'server.modules += ( "mod_extforward", "mod_fastcgi" )\n'
        'extforward.forwarder = ( "all" => "trust" )',
        "forged-address",
        "extforward.forwarder",
    ),
    (
        "nginx",
        "client_max_body_size 0;",
        "",
        "body-limit",
        "client_max_body_size 0;",
    ),
    (
        "nginx",
        "large_client_header_buffers 4 32k;",
        "",
        "request-header",
        "large_client_header_buffers 4 32k;",
    ),
    (
        "nginx",
        "fastcgi_buffer_size 32k;",
        "fastcgi_buffer_size 4k;",
        "response-header",
        "fastcgi_buffer_size 32k;",
    ),
    (
        "nginx",
        "fastcgi_param REQUEST_URI $request_uri;",
        "fastcgi_param REQUEST_URI $uri$is_args$args;",
        "escaped-slash target",
        "fastcgi_param REQUEST_URI $request_uri;",
    ),
    (
        "nginx",
        "fastcgi_pass sallyport;",
        'fastcgi_pass sallyport; fastcgi_param HTTP_AUTHORIZATION "";',
        "authorization",
        "HTTP_AUTHORIZATION",
    ),
    (
        "nginx",
        "fastcgi_param REMOTE_ADDR $remote_addr;",
        "",
        "client-address",
        "set_real_ip_from",
    ),
    (
        "nginx",
        "fastcgi_param REMOTE_ADDR $remote_addr;",
        "fastcgi_param REMOTE_ADDR $http_x_real_ip;",
        "client-address forged-address",
        "set_real_ip_from",
    ),
    (
        "nginx",
        "fastcgi_param REQUEST_SCHEME $scheme;",
        "fastcgi_param REQUEST_SCHEME https;",
        "scheme",
        "fastcgi_param REQUEST_SCHEME $scheme;",
    ),
    (
        "nginx",
        "fastcgi_pass sallyport;",
        "fastcgi_pass sallyport; limit_except GET { deny all; }",
        "body-limit chunked-body method",
        "limit_except",
    ),
    ("caddy", "header_down -Status", "", "status-field", "header_down -Status"),
    ("caddy", "flush_interval -1", "", "stream", "flush_interval -1"),
    (
        "caddy",
        "header_up -Proxy",
        "header_up -Proxy\nheader_up -Authorization",
        "authorization",
        "header_up",
    ),
    (
        "haproxy",
        "pass-header Authorization",
        "",
        "authorization",
        "pass-header Authorization",
    ),
    (
        "haproxy",
        "proto fcgi",
        "proto fcgi maxconn 1",
        "serial",
        "maxconn",
    ),
]

FILES = {
    "lighttpd": "lighttpd/sallyport.conf",
    "apache": "apache/sallyport-proxy.conf",
    "apache-fcgid": "apache/sallyport-fcgid.conf",
    "nginx": "nginx/sallyport.conf",
    "caddy": "caddy/Caddyfile",
    "haproxy": "haproxy/sallyport.cfg",
}


def spoil(scene, monkeypatch, name, old, new):
    """conf/ with one thing in it replaced."""
    folder = f"{scene.new_folder()}/conf"
    shutil.copytree(servers.CONF, folder)
    os.chmod(os.path.dirname(folder), 0o755)
    path = f"{folder}/{FILES[name]}"
    with open(path) as f:
        text = f.read()
    assert old in text
    servers.write(path, text.replace(old, new))
    monkeypatch.setattr(servers, "CONF", folder)


@pytest.mark.parametrize(
    "name,old,new,ids,advice",
    BROKEN,
    ids=[f"{b[0]}-{b[3].replace(' ', '-')}-{i}" for i, b in enumerate(BROKEN)],
)
def test_what_is_broken_is_found(
    name, old, new, ids, advice, scene, backend, run, monkeypatch
):
    spoil(scene, monkeypatch, name, old, new)
    front = scene.behind(one_route(backend), front=name)
    if name == "apache-fcgid":
        front.get("/api/status/200")
    status, problems, _ = examined(run, front)
    assert {p["id"] for p in problems} == set(ids.split()), problems
    assert status == 1
    assert any(advice in p["write"] for p in problems)
    assert all(p["where"] for p in problems)


def test_a_proxy_in_between_is_found(scene, backend, run):
    front = scene.behind(one_route(backend))
    folder, port = scene.new_folder(), free_port()
    conf = servers.write(
        f"{folder}/nginx.conf",
        f"daemon off; pid {folder}/pid; error_log {folder}/error;\n"
        + ("user root;" if os.getuid() == 0 else "")
        + "events { }\nhttp { access_log off;\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"server {{ listen 127.0.0.1:{port}; client_max_body_size 0;\n"
        "large_client_header_buffers 4 32k; proxy_buffer_size 32k;\n"
        "proxy_buffers 8 32k;\n"
        f"location / {{ proxy_pass http://127.0.0.1:{front.address[1]};\n"
        "proxy_http_version 1.1; } } }\n",
    )
    args = ["/usr/sbin/nginx", "-p", folder, "-c", conf, "-e", f"{folder}/e"]
    proxy = scene.keep(
        servers.Front("nginx", args, folder, port, None, front.gateway)
    )
    status, problems, _ = examined(run, proxy)
    assert status == 1
    found = {p["id"]: p for p in problems}
    assert {"client-address", "host"} <= set(found)
    assert "127.0.0.1" in found["client-address"]["text"]
    assert "extforward" in found["client-address"]["write"]


def test_a_gateway_that_believes_clients_is_found(scene, backend, run):
    front = scene.behind(
        envoy(backend, use_remote_address=True, xff_num_trusted_hops=1)
    )
    status, problems, _ = examined(run, front)
    assert [p["id"] for p in problems] == ["believed-address"]
    assert status == 1


# ---- nobody is reached ----


def test_a_web_server_that_does_not_run_is_said(scene, backend, run):
    gateway = scene.gateway(one_route(backend))
    url = f"http://127.0.0.1:{free_port()}/"
    out = run("doctor", url, "--state", gateway.state)
    assert out.returncode == 69
    assert "web server is not reached" in out.stdout
    assert "sallyport serve" not in out.stdout
    assert "systemctl status" in out.stdout


def test_a_gateway_that_does_not_run_is_said(scene, backend, run):
    front = scene.behind(one_route(backend))
    front.gateway.stop()
    scene.started.remove(front.gateway)
    args = ("-c", front.gateway.config, "--state", front.gateway.state)
    out = run("doctor", url_of(front), *args)
    assert out.returncode == 69
    assert "lighttpd answers 503 by itself" in out.stdout
    assert "No gateway process runs" in out.stdout
    assert "sallyport serve" in out.stdout


def test_a_part_of_the_site_that_is_not_handed_over_is_said(
    scene, backend, run, monkeypatch
):
    spoil(
        scene, monkeypatch, "lighttpd", '( "/" => (', '( "/gateway/" => ('
    )
    front = scene.behind(one_route(backend))
    status, problems, seen = examined(run, front)
    assert (status, seen["reached"]) == (69, False)
    assert problems[0]["id"] == "not-handed-over"
    assert "by itself: it does not hand / to" in problems[0]["text"]
    status, problems, seen = examined(run, front, path="/gateway/x")
    assert (status, problems) == (0, [])


def test_another_state_file_is_said(scene, backend, run):
    front = scene.behind(one_route(backend))
    other = scene.gateway(one_route(backend))
    args = ("--json", "--state", other.state)
    out = run("doctor", url_of(front), *args)
    assert out.returncode == 69
    (problem, *_) = json.loads(out.stdout)["findings"]
    assert "does not use this state file" in problem["text"]


def test_without_a_state_file_it_says_so(run, tmp_path):
    out = run("doctor", "http://127.0.0.1/", "--state", f"{tmp_path}/none")
    assert (out.returncode, out.stdout) == (69, "")
    assert "--state" in out.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["ftp://a/"],
        ["http://"],
        ["http://a/", "--body", "x"],
        ["http://a/", "--front", "iis"],
    ],
)
def test_wrong_arguments_are_usage_errors(args, run):
    out = run("doctor", *args)
    assert (out.returncode, out.stdout) == (64, "")
    assert out.stderr


# ---- nobody else can ask ----


def test_only_the_mark_opens_it(scene, backend, run):
    front = scene.behind(one_route(backend))
    for mark in ("", "0" * 32, "f" * 32, "0" * 32 + " hold 5000", "x" * 32):
        answer = front.get("/api/x", {"X-Sallyport-Doctor": mark})
        assert answer.status == 200
        assert b"sallyport_doctor" not in answer.body
    assert len(backend.requests) == 5


def test_a_mark_ends_with_the_doctor(scene, backend, run):
    """What the doctor sent is of no use to those who have seen it."""
    front = scene.behind(one_route(backend))
    seen = []
    relay = Relay(front.address, seen)
    try:
        out = run(
            *("doctor", f"http://127.0.0.1:{relay.port}/", "--json"),
            *("--state", front.gateway.state),
        )
    finally:
        relay.stop()
    assert json.loads(out.stdout)["reached"]
    marks = {m for m in seen if len(m) == 32}
    assert len(marks) == 1
    answer = front.get("/api/x", {"X-Sallyport-Doctor": marks.pop()})
    assert b"sallyport_doctor" not in answer.body


class Relay:
    """Passes bytes on, and notes the marks in them."""

    def __init__(self, address, seen):
        self.address, self.seen = address, seen
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            far = socket.create_connection(self.address)
            for a, b in ((near, far), (far, near)):
                threading.Thread(
                    target=self.pump, args=(a, b), daemon=True
                ).start()

    def pump(self, a, b):
        try:
            while data := a.recv(1 << 16):
                for line in data.split(b"\r\n"):
                    name, _, value = line.partition(b": ")
                    if name.lower() == b"x-sallyport-doctor":
                        self.seen.append(value.decode()[:32])
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.socket.close()


# ---- hostile web servers ----


def hostile(scene, answer):
    """A server that answers everything with these bytes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                s, _ = server.accept()
            except OSError:
                return
            try:
                s.recv(1 << 16)
                s.sendall(answer)
            except OSError:
                pass
            s.close()

    threading.Thread(target=serve, daemon=True).start()
    return server, f"http://127.0.0.1:{server.getsockname()[1]}/"


ECHO = b'{"sallyport_doctor":1,"pid":1e99,"remote_addr":"\x1b[2J","headers":[1,[2],["authorization"]]}'
HOSTILE = [
    b"",
    b"\x00" * 100,
    b"HTTP/1.1 302 X\r\nLocation: file:///etc/passwd\r\n\r\n",
    b"HTTP/1.1 200 X\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 X\r\n\r\n" + b"c" * 5_000_000,
    b"HTTP/1.1 200 X\r\nServer: \x1b[31mred\r\n\r\n" + ECHO,
    b"HTTP/1.1 200 X\r\n\r\n" + b"[" * 100_000,
]


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_strangers_do_no_harm(answer, scene, backend, run):
    gateway = scene.gateway(one_route(backend))
    server, url = hostile(scene, answer)
    try:
        out = run("doctor", url, "--state", gateway.state)
    finally:
        server.close()
    assert out.returncode in (1, 69)
    assert "\x1b" not in out.stdout
    assert len(out.stdout) < 20_000


def test_people_are_told_what_to_write(scene, backend, run, monkeypatch):
    spoil(scene, monkeypatch, "apache", "CGIPassAuth On", "")
    front = scene.behind(one_route(backend), front="apache")
    out = run("doctor", url_of(front), "--state", front.gateway.state)
    assert out.returncode == 1
    assert "PROBLEM  The web server drops Authorization" in out.stdout
    assert "             CGIPassAuth On\n" in out.stdout
    assert "ok       HEAD is answered\n" in out.stdout
    assert out.stdout.endswith("\n1 problem\n")
    assert "is answered by Apache" in out.stdout
    assert "\033" not in out.stdout
