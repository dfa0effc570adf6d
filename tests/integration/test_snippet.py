"""sallyport snippet: what it prints runs, and is what conf/ has."""

import os

import pytest

from harness import servers
from harness.config import ENV, with_jwt
from harness.servers import write
from harness.tokens import bearer, hmac_token

SOURCES = {
    "lighttpd": "lighttpd/sallyport.conf",
    "lighttpd-spawned": "lighttpd/sallyport-spawned.conf",
    "lighttpd-cgi": "lighttpd/sallyport-cgi.conf",
    "apache-proxy": "apache/sallyport-proxy.conf",
    "apache-fcgid": "apache/sallyport-fcgid.conf",
    "nginx": "nginx/sallyport.conf",
    "nginx-upstream": "nginx/sallyport-upstream.conf",
    "caddy": "caddy/Caddyfile",
    "haproxy": "haproxy/sallyport.cfg",
}
USUAL = [
    *("--socket", "/run/sallyport/sallyport.sock"),
    *("--program", "/usr/bin/sallyport"),
    *("--config", "/etc/sallyport/sallyport.yaml"),
    *("--state", "/var/lib/sallyport/sallyport.state"),
    *("--access-log", "/var/log/sallyport/access.log"),
]


@pytest.mark.parametrize("front", SOURCES)
def test_it_is_the_file_that_is_tested(front, run):
    with open(f"{servers.CONF}/{SOURCES[front]}") as f:
        shipped = f.read()
    out = run("snippet", front, *USUAL)
    assert (out.returncode, out.stderr) == (0, "")
    body = out.stdout
    if front.startswith("lighttpd"):
        sets, _, body = out.stdout.partition("\n\n")
        assert all(line.startswith("var.") for line in sets.splitlines())
    if front == "lighttpd-spawned":
        shipped = shipped.replace("/run/lighttpd/", "/run/sallyport/")
    assert body == shipped


def places(folder):
    return {
        "--socket": f"{folder}/s.sock",
        "--program": f"{folder}/sallyport",
        "--config": f"{folder}/sallyport.yaml",
        "--state": f"{folder}/sallyport.state",
        "--access-log": f"{folder}/sallyport.log",
    }


@pytest.mark.parametrize("front", SOURCES)
def test_no_path_but_those_given_is_in_it(front, run):
    args = [word for pair in places("/x-y").items() for word in pair]
    out = run("snippet", front, *args).stdout
    for path in USUAL[1::2]:
        assert path not in out
    assert "/x-y/" in out or front == "nginx"


def put_snippets(run, folder, more=()):
    """A folder like conf/, made of snippets."""
    args = [word for pair in more for word in pair]
    for front, source in SOURCES.items():
        path = f"{folder}/conf/{source}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        out = run("snippet", front, *args)
        assert out.returncode == 0, out.stderr
        write(path, out.stdout)
    return f"{folder}/conf"


def answers(front):
    token = bearer(hmac_token())
    assert front.get("/api/status/204").status == 401
    assert front.get("/api/status/204", token).status == 204


EXTERNAL = {
    "lighttpd": lambda g: servers.lighttpd(g.folder, "sallyport.conf", {}, g),
    "apache-proxy": lambda g: servers.apache(
        g.folder,
        "sallyport-proxy.conf",
        [*servers.COMMON_MODULES, "proxy", "proxy_fcgi"],
        {},
        g,
    ),
    "nginx": servers.nginx,
    "caddy": servers.caddy,
}


@pytest.mark.parametrize("name", EXTERNAL)
def test_a_web_server_takes_it_in(name, scene, backend, run, monkeypatch):
    gateway = scene.gateway(with_jwt(backend), env=ENV)
    servers.open_socket(gateway)
    conf = put_snippets(run, gateway.folder, [("--socket", gateway.address)])
    monkeypatch.setattr(servers, "CONF", conf)
    answers(scene.keep(EXTERNAL[name](gateway)))


@pytest.mark.parametrize("name", ["lighttpd-spawned", "apache-fcgid"])
def test_a_web_server_starts_the_gateway_by_it(
    name, scene, backend, run, monkeypatch
):
    folder = scene.new_folder()
    env = servers.spawn_environment(folder, with_jwt(backend), ENV)
    servers.program_in(folder)
    conf = put_snippets(run, folder, places(folder).items())
    monkeypatch.setattr(servers, "CONF", conf)
    if name == "lighttpd-spawned":
        front = servers.lighttpd(
            folder, "sallyport-spawned.conf", {}, env=env
        )
    else:
        front = servers.apache(
            folder,
            "sallyport-fcgid.conf",
            [*servers.COMMON_MODULES, "fcgid"],
            {},
            env=env,
            more=f"FcgidIPCDir {folder}/fcgid\n"
            f"FcgidProcessTableFile {folder}/shm\n"
            f'FcgidInitialEnv JWT_SECRET "{ENV["JWT_SECRET"]}"\n',
        )
    answers(scene.keep(front))


def test_without_a_name_or_with_a_wrong_one_all_are_listed(run):
    out = run("snippet")
    assert out.returncode == 0
    wrong = run("snippet", "iis")
    assert (wrong.returncode, wrong.stdout) == (64, "")
    assert 'no web server "iis"' in wrong.stderr
    for front in SOURCES:
        assert f"\n  {front} " in out.stdout
        assert f"\n  {front} " in wrong.stderr


@pytest.mark.parametrize(
    "path", ["run/x", '/a"b', "/a b", "/a;b", "/a$b", "/a\nb", "/" + 108 * "x"]
)
def test_a_path_that_would_mean_something_else_is_refused(path, run):
    out = run("snippet", "nginx", "--socket", path)
    assert (out.returncode, out.stdout) == (64, "")
    assert "--socket" in out.stderr
