"""sallyport init: what it writes is sound and works behind web servers."""

import os
import re
import stat
import subprocess

import pytest

from harness import servers
from harness.process import Child, free_port
from harness.servers import PROGRAM, write

FRONTS = [
    "lighttpd",
    "lighttpd-spawned",
    "lighttpd-cgi",
    "apache-proxy",
    "apache-fcgid",
    "nginx",
    "caddy",
    "haproxy",
]


@pytest.mark.parametrize("front", FRONTS)
def test_what_is_written_is_sound(front, run, tmp_path):
    folder = f"{tmp_path}/new"
    out = run("init", front, "--directory", folder)
    assert out.returncode == 0, out.stderr
    assert out.stderr == ""
    config = f"{folder}/sallyport.yaml"
    seen = run("check", config)
    assert (seen.returncode, seen.stderr) == (0, "")
    secret = f"{folder}/jwt.secret"
    assert stat.S_IMODE(os.stat(secret).st_mode) == 0o600
    with open(secret) as f:
        assert re.fullmatch("[0-9a-f]{64}\n", f.read())
    for name in os.listdir(folder):
        assert f"wrote {folder}/{name}" in out.stdout
    assert len(os.listdir(folder)) == (4 if front == "nginx" else 3)
    assert "sallyport token mint" in out.stdout.replace(PROGRAM, "sallyport")


@pytest.mark.parametrize("name", ["a,b", "a:", "a:b=@~+1"])
def test_names_are_written_as_yaml_reads_them(name, run, tmp_path):
    folder = f"{tmp_path}/{name}"
    args = ("--directory", folder, "--path", f"/{name}")
    out = run("init", "lighttpd", *args)
    assert (out.returncode, out.stderr) == (0, "")


def test_no_two_secrets_are_the_same(run, tmp_path):
    def secret(name):
        folder = f"{tmp_path}/{name}"
        assert run("init", "--directory", folder).returncode == 0
        with open(f"{folder}/jwt.secret") as f:
            return f.read()

    assert secret("a") != secret("b")


def test_without_a_token_there_is_no_secret(run, tmp_path):
    folder = f"{tmp_path}/new"
    out = run("init", "--auth", "none", "--directory", folder)
    assert out.returncode == 0
    assert os.listdir(folder) == ["sallyport.yaml"]
    assert run("check", f"{folder}/sallyport.yaml").returncode == 0
    assert "mint" not in out.stdout
    assert "sallyport snippet" in out.stdout.replace(PROGRAM, "sallyport")


def test_what_is_there_stays(run, tmp_path):
    folder = f"{tmp_path}/new"
    assert run("init", "lighttpd", "--directory", folder).returncode == 0
    with open(f"{folder}/jwt.secret") as f:
        secret = f.read()
    write(f"{folder}/sallyport.yaml", "mine\n")
    os.unlink(f"{folder}/lighttpd.conf")
    out = run("init", "lighttpd", "--directory", folder)
    assert (out.returncode, out.stdout) == (1, "")
    assert f"{folder}/sallyport.yaml exists" in out.stderr
    assert "--force" in out.stderr
    assert sorted(os.listdir(folder)) == ["jwt.secret", "sallyport.yaml"]

    out = run("init", "lighttpd", "--directory", folder, "--force")
    assert out.returncode == 0, out.stderr
    assert f"kept {folder}/jwt.secret" in out.stdout
    with open(f"{folder}/jwt.secret") as f:
        assert f.read() == secret
    with open(f"{folder}/sallyport.yaml.old") as f:
        assert f.read() == "mine\n"
    assert run("check", f"{folder}/sallyport.yaml").returncode == 0


def test_after_a_refusal_everything_is_as_it_was(run, tmp_path):
    folder = f"{tmp_path}/new"
    out = run("init", "--directory", folder, "--backend", "no-url")
    assert out.returncode == 64
    assert "backend" in out.stderr
    assert not os.path.exists(folder)
    os.mkdir(folder)
    write(f"{folder}/sallyport.yaml", "mine\n")
    args = ("--directory", folder, "--path", 'x"\ny', "--force")
    assert run("init", *args).returncode == 64
    assert os.listdir(folder) == ["sallyport.yaml"]
    with open(f"{folder}/sallyport.yaml") as f:
        assert f.read() == "mine\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root has others' files")
def test_the_gateways_user_replaces_nothing_that_root_reads(run, tmp_path):
    folder = f"{tmp_path}/new"
    out = run("init", "lighttpd-spawned", "--directory", folder)
    assert out.returncode == 0, out.stderr

    def may(*args):
        return not subprocess.run(
            args,
            cwd=folder,
            user="www-data",
            group="www-data",
            extra_groups=[],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode

    assert may("touch", "sallyport.state")
    assert may("rm", "sallyport.state")
    assert may("cat", "jwt.secret")
    for name in ("lighttpd-spawned.conf", "sallyport.yaml"):
        assert not may("mv", name, "away")
        assert not may("rm", "-f", name)


@pytest.mark.parametrize(
    "args",
    [["iis"], ["nginx-upstream"], ["--auth", "basic"], ["--socket", "x"]],
)
def test_wrong_arguments_are_usage_errors(args, run, tmp_path):
    out = run("init", *args, "--directory", f"{tmp_path}/new")
    assert (out.returncode, out.stdout) == (64, "")
    assert out.stderr
    assert not os.path.exists(f"{tmp_path}/new")


# ---- the way of a newcomer ----


def curl(url, *args):
    out = subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *args, url],
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
    )
    return int(out.stdout)


def initialised(scene, backend, run, front):
    folder = f"{scene.new_folder()}/new"
    # What a web server starts as its own user is where that may read it.
    program = servers.program_in(os.path.dirname(folder))
    os.chmod(os.path.dirname(folder), 0o755)
    out = run(
        *("init", front, "--directory", folder, "--program", program),
        *("--backend", backend.url),
    )
    assert out.returncode == 0, out.stderr
    return folder, out.stdout


class Front(Child):
    def __init__(self, name, args, folder, port):
        super().__init__(name, args, folder, servers.environment())
        self.expected = (0, 1)
        self.wait_for(("127.0.0.1", port))


def start_lighttpd(folder, file, port):
    conf = write(
        f"{folder}/main.conf",
        f'server.document-root = "{folder}"\nserver.bind = "127.0.0.1"\n'
        f'server.port = {port}\nserver.errorlog = "{folder}/error"\n'
        f'include "{file}"\n',
    )
    return Front(
        "lighttpd", ["/usr/sbin/lighttpd", "-D", "-f", conf], folder, port
    )


def start_apache(folder, file, port, *modules):
    loads = "".join(
        f"LoadModule {m}_module {servers.APACHE_MODULES}/mod_{m}.so\n"
        for m in [*servers.COMMON_MODULES, *modules]
    )
    user = "User www-data\nGroup www-data\n" if os.getuid() == 0 else ""
    fcgid = (
        f"FcgidIPCDir {folder}/fcgid\nFcgidProcessTableFile {folder}/shm\n"
        if "fcgid" in modules
        else ""
    )
    conf = write(
        f"{folder}/apache.conf",
        f"ServerRoot {folder}\nServerName localhost\n"
        f"PidFile {folder}/pid\nErrorLog {folder}/error\n"
        f"DefaultRuntimeDir {folder}\nMutex file:{folder}\n"
        f"Listen 127.0.0.1:{port}\n{user}{loads}{fcgid}"
        f'DocumentRoot {folder}\nInclude "{file}"\n',
    )
    args = ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", conf]
    return Front("apache", args, folder, port)


STARTS = {
    "lighttpd": start_lighttpd,
    "lighttpd-spawned": start_lighttpd,
    "apache-proxy": lambda *a: start_apache(*a, "proxy", "proxy_fcgi"),
    "apache-fcgid": lambda *a: start_apache(*a, "fcgid"),
}


@pytest.mark.parametrize("front", STARTS)
def test_a_newcomer_gets_an_answer_with_curl(front, scene, backend, run):
    folder, said = initialised(scene, backend, run, front)
    serve = re.search(
        r"^    (?:runuser -u \S+ -- )?(\S+ serve -c \S+ --state \S+) &$",
        said,
        re.M,
    )
    if serve:
        gateway = scene.keep(
            Child("gateway", serve[1].split(), folder, servers.environment())
        )
        gateway.wait_for(f"{folder}/sallyport.sock")
        os.chmod(f"{folder}/sallyport.sock", 0o666)
    elif os.getuid() == 0:
        assert os.stat(f"{folder}/jwt.secret").st_uid != 0
    port = free_port()
    where = scene.new_folder()
    os.chmod(where, 0o777)
    scene.keep(STARTS[front](where, f"{folder}/{front}.conf", port))
    url = f"http://127.0.0.1:{port}/api/status/204"
    assert curl(url) == 401
    token = run("token", "mint", "-c", f"{folder}/sallyport.yaml").stdout
    header = f"Authorization: Bearer {token.strip()}"
    assert curl(url, "-H", header) == 204
    assert [r.target for r in backend.requests] == ["/status/204"]
