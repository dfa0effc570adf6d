"""What `sallyport expand` prints makes an Envoy that answers as Sallyport does
with the short form."""

import os

import pytest
from harness.tokens import Key
from judge import compare
from judge.case import all_cases
from judge.inside import without_sanitizers
from judge.programs import Sallyport
from judge.short import (
    Expanded,
    EnvoyWithModule,
    ShortCase,
    counted,
    logged,
    without_uptime,
)
from test_cases import run_request

pytestmark = without_sanitizers

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "short")


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
