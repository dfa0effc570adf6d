"""Each case: the same answers, the same requests at the backend, the same log
and counters, but for what differences.yaml intends."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.wait import until
from judge import compare, counters
from judge.case import Case, all_cases
from judge.programs import Envoy, Sallyport

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")


def run_request(court, program, request):
    script = court.script
    script.start(request.answers)
    with ThreadPoolExecutor(len(request.during) + 1) as pool:
        others = []
        for i, other in enumerate(request.during):
            others.append(pool.submit(program.ask, other))
            calls = other.calls or i + 1
            until(lambda: len(script.seen) >= calls, "it is under way")
        response = program.ask(request)
        script.released.set()
    until(lambda: len(script.seen) >= request.calls, "all calls are made")
    out = {**compare.answer(response), **compare.seen(script.seen)}
    for i, other in enumerate(others):
        for part, value in compare.answer(other.result()).items():
            out[f"during[{i}].{part}"] = value
    return out


def outcome(court, case, programs):
    """Per request, and at last for the log and the counters: Envoy's and ours."""
    pairs = []
    for request in case.requests:
        pairs.append([run_request(court, p, request) for p in programs])
    counted = [counters.chosen(p.counters(), case.counters) for p in programs]
    for program in programs:
        program.stop()
    logs = [compare.log_lines(p.log(), case.varying) for p in programs]
    pairs.append([{**a, **b} for a, b in zip(logs, counted)])
    return pairs


def judge(court, case):
    folders = court.new_folder(), court.new_folder()
    programs = [Envoy(case, court.places, folders[0])]
    try:
        programs.append(
            Sallyport(case, court.places, folders[1], court.front)
        )
        for program in programs:
            program.ready()
        return outcome(court, case, programs)
    finally:
        for program in programs:
            if program.child.process.poll() is None:
                program.stop()


@pytest.mark.parametrize(
    "path", all_cases(CASES), ids=lambda p: Case(p).id
)
def test_case(court, path):
    case = Case(path)
    wrong = []
    for i, (envoy, ours) in enumerate(judge(court, case)):
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
