"""What `sallyport expand` prints makes an Envoy that answers as Sallyport does
with the short form."""

import os
import re

import pytest
from harness import servers
from harness.tokens import SECRET, Key
from judge import compare
from judge.case import all_cases
from judge.inside import validate, without_sanitizers
from judge.programs import Sallyport
from judge.short import (
    Expanded,
    EnvoyWithModule,
    ShortCase,
    counted,
    expanded,
    logged,
    without_uptime,
)
from test_cases import run_request

pytestmark = without_sanitizers

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "short")


def uncommented(text):
    """With all that "#-" offers, but for what excludes another."""
    lines = []
    for line in text.splitlines():
        found = re.match(r"( *)#-(.*)", line)
        line = found.group(1) + found.group(2) if found else line
        if "jwks:" not in line:
            lines.append(line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "path, change",
    [
        ("sallyport.yaml", None),
        ("sallyport.yaml", uncommented),
        ("examples/quickstart.yaml", None),
    ],
)
def test_envoy_takes_the_expansion_of_our_files(scene, path, change):
    folder, env = scene.new_folder(), {"JWT_SECRET": SECRET}
    env["SERVICE_TOKEN"] = "a token"
    with open(f"{servers.CONF}/{path}") as f:
        text = f.read().replace("/var/log/sallyport", folder)
    if change:
        assert change(text) != text
        text = change(text)
    short = servers.write(f"{folder}/short.yaml", text)
    long = expanded(short, servers.environment(env))
    fine, said = validate(folder, long, f"{folder}/state", env)
    assert fine, said


def outcome(court, case, programs):
    pairs = []
    for request in case.requests:
        pairs.append(
            [
                without_uptime(request, run_request(court, p, request))
                for p in programs
            ]
        )
    ends = [counted(p.counters()) for p in programs]
    for i, program in enumerate(programs):
        program.stop()
        ends[i].update(logged(program.log()))
    return [*pairs, ends]


def judge(court, case, keys):
    folders = court.new_folder(), court.new_folder()
    both = Expanded(case.path, keys), case
    programs = [EnvoyWithModule(both[0], court.places, folders[0])]
    try:
        programs.append(
            Sallyport(both[1], court.places, folders[1], court.front)
        )
        for program in programs:
            program.ready()
        return outcome(court, case, programs)
    finally:
        for program in programs:
            if program.child.process.poll() is None:
                program.stop()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("keys"), {}

    def key(alg):
        if alg not in made:
            made[alg] = Key(folder, alg)
        return made[alg]

    return key


@pytest.mark.parametrize(
    "path", all_cases(CASES), ids=lambda p: ShortCase(p).id
)
def test_short_form(court, keys, path):
    case = ShortCase(path, keys)
    wrong = []
    for i, (envoy, ours) in enumerate(judge(court, case, keys)):
        at = i if i < len(case.requests) else "end"
        title = case.requests[i].title if at == i else "log and counters"
        for part, values in compare.differences(envoy, ours).items():
            if not court.table.covers(case.id, at, part, values):
                wrong.append(
                    f"{at} {title}\n    {part}\n"
                    f"        envoy     {values[0]!r}\n"
                    f"        sallyport {values[1]!r}"
                )
    for entry in court.table.vanished(case.id):
        wrong.append(f"an intended difference has vanished: {entry}")
    assert not wrong, "\n".join([f"{case.id}:", *wrong])
