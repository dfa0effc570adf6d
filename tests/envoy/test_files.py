"""Files as people write them, on Envoy's topics: each is accepted by both, or
refused here with a place and a reason, and nothing is accepted that Envoy refuses.

The comment at the top of a file ends with what is expected, for JSON it stands
in the file "json":

    both                     both accept it
    only envoy LINE: WORDS   refused here: at that line stand these words,
                             in the path or the message
    neither LINE: WORDS      refused by both
"""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from judge.mutants import mutants, some
from judge.programs import filled
from judge.validate import envoy_refusal, errors

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "files")
NAMES = sorted(n for n in os.listdir(FILES) if n.endswith((".yaml", ".json")))
EXPECTED = re.compile(r"(both|only envoy|neither)(?: (\d+): (.*))?$")
N_MUTANTS = 400  # about a minute; MUTANTS=all takes them all


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the files are, with a certificate that they name."""
    made = str(tmp_path_factory.mktemp("files"))
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-keyout", f"{made}/key.pem", "-out", f"{made}/cert.pem"),
            *("-days", "30", "-subj", "/CN=test"),
        ],
        check=True,
        capture_output=True,
    )
    with open(f"{made}/rds.yaml", "w") as f:
        f.write("resources: []\n")
    return made


def text_of(name, folder):
    with open(os.path.join(FILES, name)) as f:
        return filled(f.read(), {"FOLDER": folder})


def expected(name, text):
    if name.endswith(".json"):
        with open(os.path.join(FILES, "json")) as f:
            said = dict(line.strip().split(" ", 1) for line in f)[name]
    else:
        comment = [l for l in text.split("\n") if l.startswith("# ")]
        said = next(l[2:] for l in comment if EXPECTED.match(l[2:]))
    who, line, words = EXPECTED.match(said).groups()
    return who, line and int(line), words


def written(folder, name, text):
    path = f"{folder}/{name}"
    with open(path, "w") as f:
        f.write(text)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_file(folder, name):
    text = text_of(name, folder)
    who, line, words = expected(name, text)
    path = written(folder, name, text)
    refusal = envoy_refusal(path)
    found = errors(path)
    assert (refusal is None) == (who != "neither"), refusal
    assert (not found) == (who == "both"), found
    if found:
        assert all(f["line"] and f["column"] and f["file"] for f in found)
        told = [(f["line"], f"{f['path']}: {f['message']}") for f in found]
        assert any(l == line and words in m for l, m in told), told


def sound_trees(folder):
    trees = {}
    for name in NAMES:
        text = text_of(name, folder)
        if "!ignore" not in text and expected(name, text)[0] == "both":
            trees[name] = yaml.safe_load(text)
    return trees


def test_no_mutant_is_accepted_that_envoy_refuses(folder):
    all_of_them = list(mutants(sound_trees(folder)))
    if os.environ.get("MUTANTS") != "all":
        all_of_them = some(all_of_them, N_MUTANTS)

    def judge(numbered):
        number, (name, tree) = numbered
        path = written(folder, f"mutant{number}.json", json.dumps(tree))
        # What we refuse Envoy need not see.
        wrong = None if errors(path) else envoy_refusal(path)
        os.unlink(path)
        return f"{name}: {wrong[1][-300:]}" if wrong else None

    with ThreadPoolExecutor(2) as pool:
        wrong = list(filter(None, pool.map(judge, enumerate(all_of_them))))
    assert not wrong, f"{len(wrong)} accepted:\n" + "\n".join(wrong)
