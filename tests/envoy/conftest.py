"""The session's backends and web server; the programs are started per case."""

import os
import shutil
import socket
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

from judge.authority import issue, tls_context  # noqa: E402
from judge.backend import Script  # noqa: E402
from judge.intended import Table  # noqa: E402
from judge.programs import Lighttpd, listener_port  # noqa: E402
from judge.scene import backend, scene  # noqa: E402, F401
from harness.process import free_port  # noqa: E402


class Court:
    def __init__(self, folder):
        self.folder = folder
        self.n = 0
        self.tls = os.path.join(folder, "tls")
        issue(self.tls)
        self.script = Script(tls_context(self.tls))
        self.places = {
            **self.script.places(),
            "TLS": self.tls,
            "DEAD": free_port(),
            "FULL": self.make_full(),
            "PORT": listener_port(),
        }
        self.front = Lighttpd(folder, self.places["PORT"])
        self.table = Table(os.path.join(HERE, "differences.yaml"))

    def make_full(self):
        """A port that answers no SYN: its queue of connections is full."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.sockets = [listener]
        for _ in range(3):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(listener.getsockname())
            self.sockets.append(s)
        return listener.getsockname()[1]

    def new_folder(self):
        self.n += 1
        return f"{self.folder}/{self.n}"

    def stop(self):
        self.front.stop()
        self.script.stop()
        for s in self.sockets:
            s.close()


@pytest.fixture(scope="session")
def court():
    folder = tempfile.mkdtemp(prefix="judge-")
    made = Court(folder)
    try:
        yield made
    finally:
        made.stop()
        if os.environ.get("KEEP"):
            print("kept:", folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
