"""Child processes that are always stopped, and whose words are read."""

import os
import signal
import socket
import subprocess

from .wait import until

SANITIZER_WORDS = (
    "AddressSanitizer",
    "LeakSanitizer",
    "runtime error:",
    "stack smashing",
)


def free_port():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def accepts(address):
    """Whether somebody listens at a (host, port) or a unix path."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as s:
        try:
            s.connect(address)
        except OSError:
            return False
    return True


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(word) for word in f.read().split()]
    except FileNotFoundError:
        return []


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def resident_kib(pid, peak=False):
    word = "VmHWM:" if peak else "VmRSS:"
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(word):
                return int(line.split()[1])
    raise AssertionError(f"no {word} of {pid}")


class Child:
    """A process of its own group, with stdout and stderr in files."""

    def __init__(
        self, name, args, folder, env=None, preexec=None, listener=None
    ):
        """The process inherits the descriptor listener, if given."""
        self.name = name
        self.stdout_path = f"{folder}/{name}.stdout"
        self.stderr_path = f"{folder}/{name}.stderr"
        with open(self.stdout_path, "ab") as out, open(
            self.stderr_path, "ab"
        ) as err:
            self.process = subprocess.Popen(
                args,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=env,
                cwd=folder,
                preexec_fn=preexec,
                pass_fds=[listener] if listener else [],
                start_new_session=True,
            )
        self.pid = self.process.pid
        self.expected = (0,)

    def stderr(self):
        with open(self.stderr_path, errors="replace") as f:
            return f.read()

    def stdout(self):
        with open(self.stdout_path, errors="replace") as f:
            return f.read()

    def wait_for(self, address):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(
                    f"{self.name} ended with {self.process.returncode}:\n"
                    + self.stderr()
                    + self.stdout()
                )
            return accepts(address)

        until(ready, f"{self.name} listens at {address}")

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, deadline=20):
        return self.process.wait(deadline)

    def stop(self, number=signal.SIGTERM, deadline=20):
        """Ends it and checks that it went well and left nobody behind."""
        workers = children_of(self.pid)
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(
                f"{self.name} did not stop within {deadline} s:\n{self.stderr()}"
            ) from None
        try:
            until(
                lambda: not any(is_alive(p) for p in workers),
                f"the children of {self.name} end",
                5,
            )
        finally:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        words = self.stderr()
        for word in SANITIZER_WORDS:
            assert word not in words, f"{self.name}:\n{words}"
        assert status in self.expected, f"{self.name}: {status}\n{words}"
