"""Fixtures: a scene that tests fill with backends, gateways and web servers."""

import faulthandler
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from harness import servers, tokens  # noqa: E402
from harness.backend import Backend  # noqa: E402

LIMIT_S = 180


@pytest.fixture(autouse=True)
def time_limit():
    """A test that hangs fails, with its stack."""

    def ring(*_):
        faulthandler.dump_traceback()
        raise AssertionError(f"the test took more than {LIMIT_S} s")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT_S)
    yield
    signal.alarm(0)


class Scene:
    def __init__(self, folder):
        self.folder = folder
        self.started = []
        self.n_folders = 0

    def new_folder(self):
        self.n_folders += 1
        path = f"{self.folder}/{self.n_folders}"
        os.mkdir(path)
        return path

    def keep(self, what):
        self.started.append(what)
        return what

    def backend(self):
        return self.keep(Backend())

    def gateway(self, config, **options):
        """`sallyport serve`, ready; its address speaks FastCGI."""
        folder = options.pop("folder", None) or self.new_folder()
        return self.keep(servers.Sallyport(folder, config, **options)).ready()

    def behind(self, config, front="lighttpd", **options):
        """A gateway behind a web server; returns the web server."""
        if front in servers_starting:
            folder = options.pop("folder", None) or self.new_folder()
            start = servers_starting[front]
            return self.keep(start(folder, config, options.get("env")))
        gateway = self.gateway(config, **options)
        return self.keep(servers_external[front](gateway))

    def stop(self):
        errors = []
        while self.started:
            try:
                self.started.pop().stop()
            except AssertionError as e:
                errors.append(str(e))
        assert not errors, "\n".join(errors)


servers_external = {
    "lighttpd": servers.behind_lighttpd,
    "apache": servers.apache_proxy,
    "nginx": servers.nginx,
    "caddy": servers.caddy,
    "haproxy": servers.haproxy,
}
servers_starting = {
    "lighttpd-spawned": servers.lighttpd_spawned,
    "apache-fcgid": servers.apache_fcgid,
    "lighttpd-cgi": servers.lighttpd_cgi,
}


@pytest.fixture
def scene():
    folder = tempfile.mkdtemp(prefix="sally-")
    os.chmod(folder, 0o755)
    made = Scene(folder)
    try:
        yield made
    finally:
        try:
            made.stop()
        except AssertionError:
            if os.environ.get("KEEP"):
                print("kept:", folder)
                folder = None
            raise
        finally:
            if folder and not os.environ.get("KEEP"):
                shutil.rmtree(folder, ignore_errors=True)


# What goes wrong with backends, and how bodies move, is the same for those
# that are named by an address and those that libcurl reaches by a name.
BOTH_WAYS = {"test_failures", "test_forwarding", "test_streaming"}


def pytest_generate_tests(metafunc):
    if (
        metafunc.module.__name__ in BOTH_WAYS
        and "backend" in metafunc.fixturenames
    ):
        metafunc.parametrize(
            "backend", ["127.0.0.1", "localhost"], indirect=True
        )


@pytest.fixture
def backend(scene, request):
    made = scene.backend()
    made.host = getattr(request, "param", made.host)
    return made


@pytest.fixture
def run(scene):
    """Runs `sallyport` with arguments to its end."""

    def go(*args, env=None, **options):
        return subprocess.run(
            [servers.PROGRAM, *args],
            env=servers.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            **options,
        )

    return go


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A private key for each asymmetric algorithm, made when asked for."""
    folder, made = tmp_path_factory.mktemp("keys"), {}

    def key(alg):
        if alg not in made:
            made[alg] = tokens.Key(folder, alg)
        return made[alg]

    return key
