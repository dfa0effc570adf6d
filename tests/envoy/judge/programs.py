"""The two gateways. Envoy listens on 127.0.0.1, lighttpd with Sallyport
behind it on 127.0.0.2, at the same port; the client comes from 127.0.0.9."""

import json
import os
import shutil
import socket
import subprocess

import envoy
from harness import servers
from harness.client import Response, read_all
from harness.process import Child, accepts, free_port
from harness.wait import until

from .case import filled

CLIENT = "127.0.0.9"
ENVOY = os.path.join(os.path.dirname(envoy.__file__), "_bin", "envoy")


def ask(address, data, method, timeout=20):
    with socket.socket() as s:
        s.settimeout(timeout)
        s.bind((CLIENT, 0))
        s.connect(address)
        try:
            s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_answer(s, method)


def read_answer(s, method):
    """Until it is complete: Envoy keeps some connections open for a second."""
    data = b""
    while True:
        try:
            more = s.recv(1 << 16)
        except ConnectionResetError:
            more = b""
        data += more
        response = Response(data, method)
        framed = response.header("content-length") or response.header(
            "transfer-encoding"
        )
        bodyless = method == "HEAD" or response.status in (204, 304)
        if not more or (response.complete and (framed or bodyless)):
            return response


class Program:
    """One of the two, with one case's configuration."""

    def __init__(self, case, places, folder):
        os.mkdir(folder)
        self.folder = folder
        self.places = {**places, "FOLDER": folder}
        for name, text in case.files.items():
            servers.write(f"{folder}/{name}", filled(text, self.places))
        self.config = servers.write(
            f"{folder}/{case.file}", case.text(self.places)
        )
        self.env = servers.environment(
            {name: filled(v, self.places) for name, v in case.env.items()}
        )

    def ask(self, request):
        text = filled(request.data.decode("latin-1"), self.places)
        return ask(self.address, text.encode("latin-1"), request.method)

    def log(self):
        try:
            with open(f"{self.folder}/access.log", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def stop(self):
        self.child.stop()


class Envoy(Program):
    def __init__(self, case, places, folder):
        super().__init__(case, places, folder)
        self.address = ("127.0.0.1", places["PORT"])
        admin = servers.write(
            f"{folder}/admin.yaml",
            "admin: {address: {pipe: {path: %s/admin.sock}}}" % folder,
        )
        with open(admin) as f:
            overlay = f.read()
        self.child = Child(
            "envoy",
            [
                *(ENVOY, "-c", self.config, "--config-yaml", overlay),
                *("--concurrency", "1", "--use-dynamic-base-id"),
                *("--file-flush-interval-msec", "50"),
                *("--log-level", "warning", "--drain-time-s", "1"),
                # never as long as a whole run
                *("--parent-shutdown-time-s", "2"),
            ],
            folder,
            self.env,
        )

    def ready(self):
        self.child.wait_for(self.address)
        return self

    def admin(self, path):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(f"{self.folder}/admin.sock")
            s.sendall(
                f"GET {path} HTTP/1.1\r\nHost: admin\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            return Response(read_all(s)).body.decode()

    def counters(self):
        found = json.loads(self.admin("/stats?format=json&type=Counters"))
        return {s["name"]: s["value"] for s in found["stats"] if s["value"]}


class Lighttpd:
    """One for all cases; each case's Sallyport listens on its socket."""

    def __init__(self, folder, port):
        self.socket = f"{folder}/sallyport.sock"
        self.address = ("127.0.0.2", port)
        conf = servers.write(
            f"{folder}/lighttpd.conf",
            f'server.document-root = "{folder}"\n'
            f'server.bind = "127.0.0.2"\nserver.port = {port}\n'
            f'server.errorlog = "{folder}/lighttpd.error"\n'
            f'server.upload-dirs = ( "{folder}" )\n'
            f'var.sallyport_socket = "{self.socket}"\n'
            f'include "{servers.CONF}/lighttpd/sallyport.conf"\n',
        )
        program = shutil.which("lighttpd", path="/usr/sbin:/usr/bin")
        self.child = Child(
            "lighttpd", [program, "-D", "-f", conf], folder
        )
        self.child.expected = (0, 1)
        self.child.wait_for(self.address)

    def stop(self):
        self.child.stop()


class Sallyport(Program):
    def __init__(self, case, places, folder, front):
        super().__init__(case, places, folder)
        self.address, self.socket = front.address, front.socket
        self.state = f"{folder}/sallyport.state"
        self.child = Child(
            "sallyport",
            [
                *(servers.PROGRAM, "serve", "-c", self.config),
                *("--listen", f"unix:{self.socket}", "--workers", "1"),
                *("--state", self.state),
            ],
            folder,
            self.env,
        )

    def ready(self):
        self.child.wait_for(self.socket)
        return self

    def counters(self):
        out = subprocess.run(
            [servers.PROGRAM, "stats", "--state", self.state],
            check=True,
            capture_output=True,
            text=True,
            env=servers.environment(),
        ).stdout
        pairs = (line.rsplit(": ", 1) for line in out.splitlines())
        return {name: int(value) for name, value in pairs if value != "0"}


def listener_port():
    """A port that is free at both addresses."""
    port = free_port()
    until(lambda: not accepts(("127.0.0.2", port)), "the port is free")
    return port
