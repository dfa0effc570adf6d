"""sallyport stats: the counters of the state file."""

from harness.config import one_route


def test_counters_are_printed_sorted_by_envoys_names(scene, backend, run):
    config = one_route(backend, cors={"origins": ["http://a.test"]})
    front = scene.behind(config)
    for origin in ("http://a.test", "http://b.test", "http://b.test"):
        assert front.get("/api", {"Origin": origin}).status == 200
    out = run("stats", "--state", front.gateway.state)
    assert out.returncode == 0, out.stderr
    lines = out.stdout.splitlines()
    assert lines == sorted(lines)
    valid = [line for line in lines if line.endswith("cors.origin_valid: 1")]
    wrong = [line for line in lines if line.endswith("cors.origin_invalid: 2")]
    assert len(valid) == len(wrong) == 1, lines


def test_a_file_that_is_not_there_is_not_made(run, tmp_path):
    missing = tmp_path / "none.state"
    out = run("stats", "--state", str(missing))
    assert out.returncode == 1
    assert str(missing) in out.stderr
    assert not missing.exists()
    assert run("stats", "what").returncode == 64
