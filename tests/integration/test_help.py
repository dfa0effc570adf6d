"""What `sallyport help` prints: commands, manual pages, completion."""

import re
import shutil
import subprocess

import pytest

from harness.config import ENV
from harness.servers import CONF, write


@pytest.fixture
def page(run):
    def printed(name):
        out = run("help", f"--manual={name}")
        assert (out.returncode, out.stderr) == (0, "")
        return out.stdout

    return printed


def keys_of_the_file():
    """All keys of the commented file, those in comments too."""
    keys = set()
    with open(f"{CONF}/sallyport.yaml") as f:
        for line in f:
            if line.lstrip().startswith("#") and not re.match(r"\s*#-", line):
                continue
            line = re.sub(r"^\s*#-", "", line)
            line = re.sub(r'"[^"]*"', '""', line).partition(" #")[0]
            keys |= set(re.findall(r"([a-z_]+):(?:\s|$)", line))
    return keys - {"sub"}


def test_every_key_of_the_short_form_is_in_its_manual(page):
    text = page("sallyport.yaml")
    named = set(re.findall(r"^\.It Cm (\S+)$", text, re.M))
    keys = keys_of_the_file()
    assert {"routes", "strip", "jwks", "open_for", "rewrite"} <= keys
    assert keys - named == set()
    assert "inline" in named and "credential" in named


def test_every_key_says_what_it_is(page):
    items = re.split(r"^\.It Cm ", page("sallyport.yaml"), flags=re.M)[1:]
    assert len(items) > 40
    for item in items:
        item = re.split(r"^\.(?:El|Ss|Sh)", item, flags=re.M)[0]
        assert re.match(r"\S+\n\S.*", item), item
        assert ".Em Type :" in item


def test_the_examples_are_sound(page, run, tmp_path):
    text = page("sallyport.yaml")
    examples = re.findall(r"^\.Bd -literal\n(.*?)^\.Ed", text, re.S | re.M)
    assert len(examples) >= 4
    for example in examples:
        file = write(f"{tmp_path}/c.yaml", example.replace("\\e", "\\"))
        out = run("check", file, env=ENV)
        assert (out.returncode, out.stderr) == (0, ""), example


@pytest.mark.parametrize("name", ["sallyport", "sallyport.yaml"])
def test_the_pages_are_sound_mdoc(name, page):
    text = page(name)
    assert text.startswith(".Dd ")
    assert all(line for line in text.splitlines())
    if not shutil.which("groff"):
        pytest.skip("no groff")
    out = subprocess.run(
        ["groff", "-mdoc", "-Tascii", "-ww", "-z"],
        input=text,
        text=True,
        capture_output=True,
    )
    assert out.stderr == ""


def test_every_command_is_in_the_manual(page, run):
    text = page("sallyport")
    names = re.findall(r"^  ([a-z]+) +\S", run("help").stdout, re.M)
    assert {"routes", "snippet", "init", "doctor", "status"} <= set(names)
    for name in names:
        assert re.search(rf"^\.Ss {name}( |$)", text, re.M), name
    assert ".It 69\n" in text
    completion = run("help", "--bash-completion").stdout
    assert all(name in completion for name in names)


def test_every_command_helps_with_itself(run):
    for word in ("-h", "--help"):
        out = run("init", word)
        assert (out.returncode, out.stderr) == (0, "")
        assert out.stdout == run("help", "init").stdout


def test_a_wrong_command_is_told_the_nearest(run):
    for args in (["statsu"], ["help", "statsu"]):
        out = run(*args)
        assert (out.returncode, out.stdout) == (64, "")
        assert 'did you mean "status"?' in out.stderr
    assert "did you mean" not in run("xyzzy").stderr


def test_where_there_is_no_configuration_yet_the_way_on_is_said(run):
    out = run("explain", "GET", "/")
    if "No such file" not in out.stderr:
        pytest.skip("there is a configuration where it is looked for")
    assert out.returncode == 78
    assert "`sallyport init` makes a first one" in out.stderr
    assert "init" not in run("explain", "GET", "/", "-c", "/none").stderr
