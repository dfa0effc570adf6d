"""sidecar/config/envoy.api is what stands in the program of this Envoy."""

import os
import re
import subprocess

from api import api_text
from judge.programs import ENVOY

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def version():
    said = subprocess.run(
        [ENVOY, "--version"], capture_output=True, text=True, check=True
    ).stdout
    return re.search(r"/(\d+\.\d+\.\d+)/", said).group(1)


def test_the_table_of_messages_is_envoys():
    with open(os.path.join(ROOT, "sidecar", "config", "envoy.api")) as f:
        ours = f.read()
    assert ours == api_text(ENVOY, version())
