"""Whether a configuration is accepted, and if not why: envoy --mode validate
and sallyport check."""

import json
import os
import re
import subprocess

from .programs import ENVOY

# lines that Envoy writes before the reason
LOG = re.compile(r"^\[[^]]*\]\[[^]]*\]\[[a-z]+\]\[[^]]*\] (\[[^]]*\] )?", re.M)


def envoy_refusal(path, level="critical"):
    """None if Envoy accepts the file, else what it says of it."""
    done = subprocess.run(
        [
            *(ENVOY, "--mode", "validate", "-c", path),
            *("--concurrency", "1", "--use-dynamic-base-id"),
            *("--log-level", level),
        ],
        capture_output=True,
        errors="replace",
        timeout=60,
    )
    said = LOG.sub("", done.stdout + done.stderr).strip()
    return (done.returncode, said) if done.returncode else None


def findings(path, *options):
    """What sallyport check finds, as it tells tools, and its exit status."""
    done = subprocess.run(
        [os.environ["SALLYPORT"], "check", "--format", "json", *options, path],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, 78), done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout), done.returncode


def errors(path):
    found, status = findings(path)
    wrong = [f for f in found if f["severity"] == "error"]
    assert bool(wrong) == (status == 78)
    return wrong
