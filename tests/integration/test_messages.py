"""Messages of the program itself."""

import os

from harness import fcgi
from harness.config import one_route
from harness.process import free_port
from harness.wait import until


def test_debug_says_why_a_backend_failed(scene, backend):
    backend.port = free_port()
    for level, is_said in (("info", False), ("debug", True)):
        gateway = scene.gateway(
            one_route(backend), options=["--log-level", level]
        )
        answer = fcgi.request(gateway.address, "GET", "/api/x")
        assert answer.status == 503
        reason = f"debug: {backend.authority}: "
        assert (reason in gateway.stderr()) == is_said


def test_an_unknown_level_is_refused(run, tmp_path):
    out = run("serve", "-c", f"{tmp_path}/none", "--log-level", "loud")
    assert out.returncode == 64
    assert "is error, warning, info or debug, not loud" in out.stderr


def test_the_journal_gets_priorities_and_no_name(scene, backend, tmp_path):
    """Only if systemd's word is about our stderr."""
    path = f"{tmp_path}/journal"
    with open(path, "w"):
        st = os.stat(path)
    for stream, start in (
        (f"{st.st_dev}:{st.st_ino}", "<6>listening on "),
        (f"{st.st_dev}:{st.st_ino + 1}", "sallyport["),
    ):

        def to_journal():
            fd = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_APPEND)
            os.dup2(fd, 2)

        scene.gateway(
            one_route(backend),
            env={"JOURNAL_STREAM": stream},
            preexec=to_journal,
        )

        def said():
            with open(path) as f:
                return f.read()

        until(lambda: said().endswith("\n"), "the gateway says something")
        assert said().startswith(start)
