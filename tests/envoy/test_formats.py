"""Formats of access logs: both programs take them, or both refuse them, and
Sallyport says what Envoy says. Each is a configuration to validate."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from harness import servers
from judge.case import Case
from judge.programs import ENVOY

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "formats.yaml")) as f:
    LISTS = yaml.safe_load(f)
# All operators in one format.
FORMATS = LISTS["formats"] + [
    "".join(f"%{operator}%" for operator in LISTS["operators"].split())
]
# From "initializing configuration '<file>': " to the end.
WHY = re.compile(r"initializing configuration '[^']*': (.*)", re.DOTALL)


def config(folder, number, text):
    case = Case.__new__(Case)
    case.parts = {"log": text or "", "requests": []}
    bootstrap = case.bootstrap()
    hcm = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0][
        "filters"
    ][0]["typed_config"]
    hcm["access_log"][0]["typed_config"]["log_format"]["text_format_source"][
        "inline_string"
    ] = text
    written = yaml.safe_dump(bootstrap, allow_unicode=True, width=4096)
    for place in ("PORT", "A"):
        written = written.replace(f"'@{place}@'", "9").replace(
            f"@{place}@", "9"
        )
    return servers.write(
        f"{folder}/{number}.yaml", written.replace("@FOLDER@", folder)
    )


def run(*command):
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=servers.environment({}),
    )


def envoys_words(path):
    """None, or why Envoy refuses the file."""
    done = run(
        *(ENVOY, "-c", path, "--mode", "validate", "--use-dynamic-base-id"),
        *("--log-level", "critical", "--concurrency", "1"),
    )
    if done.returncode == 0:
        return None
    found = WHY.search(done.stdout)
    assert found, done.stdout
    return found[1].strip()


def our_words(path):
    done = run(servers.PROGRAM, "check", path)
    return None if done.returncode == 0 else done.stdout


def disagreement(folder, number, text):
    path = config(folder, number, text)
    envoy, ours = envoys_words(path), our_words(path)
    if envoy is None:
        return ours and f"{text!r}: only we refuse it:\n{ours}"
    if ours is None:
        return f"{text!r}: only Envoy refuses it: {envoy}"
    # The position of a fault in JSON is the parser's own.
    said = envoy.partition(" Error(line")[0].replace("\n", "?")
    if said not in ours:
        return f"{text!r}: Envoy says\n{envoy}\nand we\n{ours}"
    return None


def test_formats(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(
            lambda item: disagreement(str(tmp_path), *item),
            enumerate(FORMATS),
        )
        wrong = [text for text in found if text]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("use, why", LISTS["refused"])
def test_what_only_we_refuse_is_said(tmp_path, use, why):
    path = config(str(tmp_path), 0, f"%{use}%")
    assert envoys_words(path) is None
    assert why in our_words(path)
