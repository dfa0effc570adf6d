"""The size of an expression's program is counted here as RE2 counts it."""

import json
import random
import re

from judge.validate import envoy_refusal, findings

SIZE = re.compile(r"regex '(.*?)' RE2 program size of (\d+) > max", re.S)
ATOMS = (
    *("a", "b", "x", "ab", "abc", "fo", "foo", "A", "B", "1", "-", "/", "é"),
    *("[ab]", "[a-z]", "[A-Z]", "[^/]", "[0-9a-f]", "[[:alpha:]]", "."),
    *(r"\d", r"\w", r"\s", r"\b", "^", "$", "(?:a)", ".*"),
)
QUANTIFIERS = ("*", "+", "?", "{2}", "{1,3}", "{0,2}", "{3,}", "*?", "??")
WRITTEN = (
    *("/", "/.*", "a|b", "(?i)abc", "[Aa]bc", "(a*)*", "a*aab", "^abc$"),
    *("^/service/([^/]+)(/.*)$", "(foo|fox|for)bar", "(?s).*", r"\Qa.b\E"),
    r".*\.(png|jpg|jpeg|gif|css|js|ico|svg|woff2?)$",
    "/v1/(projects|folders)/[a-z]([-a-z0-9]{4,61}[a-z0-9])/locations/.*",
)


def made(dice, depth):
    what = dice.random()
    if depth == 0 or what < 0.25:
        return dice.choice(ATOMS)
    inner = [made(dice, depth - 1) for _ in range(dice.randint(2, 4))]
    if what < 0.55:
        return "".join(inner)
    if what < 0.65:
        return f"({inner[0]})"
    if what < 0.7:
        return f"(?i:{inner[0]})"
    if what < 0.85:
        return "(?:" + "|".join(inner) + ")"
    return f"(?:{inner[0]}){dice.choice(QUANTIFIERS)}"


def patterns():
    dice = random.Random(20)
    some = [made(dice, dice.randint(1, 4)) for _ in range(600)]
    return list(dict.fromkeys([*WRITTEN, *some]))


def bootstrap(expressions, levels):
    route = {"direct_response": {"status": 200}}
    hcm = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
        "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {"match": {"safe_regex": {"regex": e}}, **route}
                        for e in expressions
                    ],
                }
            ]
        },
        "http_filters": [
            {
                "name": "router",
                "typed_config": {
                    "@type": "type.googleapis.com/"
                    "envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 9}}
    listener = {
        "address": address,
        "filter_chains": [{"filters": [{"name": "h", "typed_config": hcm}]}],
    }
    layer = {"name": "levels", "static_layer": {"re2.max_program_size": levels}}
    return {
        "static_resources": {"listeners": [listener]},
        "layered_runtime": {"layers": [layer]},
    }


def write(path, content):
    with open(path, "w") as f:
        json.dump(content, f)
    return str(path)


def test_programs_are_as_large_as_envoys(tmp_path):
    asked = patterns()
    levels = {"error_level": 100000, "warn_level": 0}
    path = write(tmp_path / "envoy.json", bootstrap(asked, levels))
    # Accepted, each with a warning that states the size: a refusal at the end
    # makes envoy_refusal return what was logged.
    broken = bootstrap([*asked, "("], levels)
    said = envoy_refusal(write(tmp_path / "broken.json", broken), "warning")
    real = dict(SIZE.findall(said[1]))
    assert envoy_refusal(path) is None
    ours = {}
    for i in range(0, len(asked), 200):
        part = bootstrap(asked[i : i + 200], {"error_level": 0})
        found, _ = findings(write(tmp_path / "ours.json", part))
        for f in found:
            ours.update(SIZE.findall(f["message"]))
    assert len(real) == len(asked)
    wrong = {e: (n, ours.get(e)) for e, n in real.items() if ours.get(e) != n}
    assert not wrong
