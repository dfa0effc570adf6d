"""Our filters in a real Envoy: several workers, one state with a Sallyport
beside it, new configurations under way, and requests of every kind."""

import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from harness import client, servers
from harness.process import free_port
from harness.wait import until
from judge.case import TYPE
from judge.inside import (
    Inside,
    cluster,
    listener,
    module_filter,
    route,
    route_filter,
    start,
    validate,
    without_sanitizers,
)
from judge.short import expanded

pytestmark = without_sanitizers

LIMIT = "sallyport.rate_limit"


@pytest.fixture
def envoy(scene, backend):
    def go(*filters, **options):
        made = start(scene.new_folder(), list(filters), backend, **options)
        return scene.keep(made).ready()

    return go


def statuses_at_once(fronts, each, target="/echo", threads=24):
    """How often each front answered with which status, all hit together."""
    wanted = [front for _ in range(each) for front in fronts]
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda f: f.get(target).status, wanted))
    return [
        Counter(s for f, s in zip(wanted, found) if f is front)
        for front in fronts
    ]


def circuits(front):
    return front.get("/health").json()["circuits"]


# ---- several workers, several programs ----


def test_a_limit_is_exact_over_two_workers(envoy):
    front = envoy(module_filter(LIMIT, limit=25, window="60s"), workers=2)
    [counted] = statuses_at_once([front], 100)
    assert counted == {200: 25, 429: 75}
    assert front.stats("rate_limit") == {
        "dynamicmodulescustom.rate_limit.ok": 25,
        "dynamicmodulescustom.rate_limit.limited": 75,
    }
    connections = front.stats("worker_..downstream_cx_total")
    shares = [v for k, v in connections.items() if "admin" not in k]
    assert len([v for v in shares if v > 0]) == 2, connections


@pytest.fixture
def side_by_side(scene, backend):
    """An Envoy with the expansion of a short form, and a Sallyport with the
    form itself, on one state file."""

    def go(short, workers=2, address=None):
        folder, port = scene.new_folder(), free_port()
        short = {"access_log": f"{folder}/access.log", **short}
        state = f"{folder}/state"
        path = servers.write(
            f"{folder}/short.yaml",
            yaml.safe_dump({"listen": f"127.0.0.1:{port}", **short}),
        )
        inside = Inside(
            folder, expanded(path, servers.environment()), port, workers,
            state=state,
        )
        scene.keep(inside).ready()
        outside = scene.behind_lighttpd(
            short, workers=workers, state=False, options=["--state", state]
        )
        return inside, outside

    return go


def test_one_limit_over_an_envoy_and_a_sallyport(side_by_side, backend):
    route_ = {"path": "/", "backend": backend.url, "rate_limit": "100/60s"}
    inside, outside = side_by_side({"routes": [route_]})
    for front in (inside, outside):
        assert front.get("/echo").status == 200
    a, b = statuses_at_once([inside, outside], 150)
    assert a[200] + b[200] == 98
    assert a[429] + b[429] == 202
    assert len(backend.requests) == 100


def breaking(backend, **breaker):
    return {
        "routes": [{"path": "/", "strip": False, "backend": backend.url}],
        "breaker": breaker,
    }


def test_one_breaker_over_an_envoy_and_a_sallyport(side_by_side, backend):
    inside, outside = side_by_side(
        breaking(backend, failures=4, open_for="60s")
    )
    name = backend.authority
    for front in (inside, outside, inside):
        assert front.get("/status/500").status == 500
        assert circuits(inside) == circuits(outside) == {name: "closed"}
    assert outside.get("/status/500").status == 500
    for front in (inside, outside):
        answer = front.get("/echo")
        assert answer.status == 503
        assert answer.json()["error"] == "circuit breaker open"
        assert circuits(front) == {name: "open"}
        assert front.get("/readyz").status == 503
    assert len(backend.requests) == 4


@pytest.mark.parametrize("first", ["inside", "outside"])
def test_one_probe_at_a_time_whoever_sends_it(side_by_side, backend, first):
    inside, outside = side_by_side(
        breaking(backend, failures=1, open_for="0.1s")
    )
    name = backend.authority
    prober = inside if first == "inside" else outside
    assert prober.get("/status/500").status == 500
    until(lambda: circuits(inside) == {name: "half-open"}, "it half opens")
    backend.hold()
    with ThreadPoolExecutor(1) as pool:
        probe = pool.submit(prober.get, "/wait")
        backend.wait_in_flight(1)
        for front in (inside, outside):
            assert front.get("/echo").status == 503
        backend.release()
        assert probe.result().status == 200
    assert circuits(outside) == circuits(inside) == {name: "closed"}
    assert outside.get("/echo").status == 200


def test_health_counts_envoys_time_too(envoy):
    front = envoy(module_filter("sallyport.health"))
    body = front.get("/health").json()
    assert body["status"] == "healthy" and body["circuits"] == {}
    assert 0 <= body["uptime"] < 60000


# ---- outcomes ----


OUTCOMES = [
    ("/status/500", 500),
    ("/status/599", 599),
    ("/close", 503),
    ("/reset", 503),
    ("/malformed", 502),
    ("/half-headers", 502),
    ("/half-length", 200),
    ("/half-chunked", 200),
    ("/never", 504),
]


@pytest.mark.parametrize("target,status", OUTCOMES)
def test_the_breaker_sees_what_went_wrong(envoy, target, status):
    timed = route("/never")
    timed["route"]["timeout"] = "0.1s"
    front = envoy(
        module_filter("sallyport.health"),
        module_filter("sallyport.breaker", failures=2, open_for="60s"),
        routes=[timed, route("/")],
    )
    assert front.get("/status/404").status == 404
    for _ in range(2):
        assert front.get(target).status == status
    until(lambda: circuits(front) == {"one": "open"}, "it is open")
    assert front.get("/echo").status == 503


def test_the_breaker_sees_that_nobody_listens(envoy):
    dead = cluster("dead", free_port())
    front = envoy(
        module_filter("sallyport.health"),
        module_filter("sallyport.breaker", failures=2, open_for="60s"),
        routes=[route("/dead", "dead"), route("/")],
        clusters=[dead],
    )
    for _ in range(2):
        answer = front.get("/dead")
        assert answer.status == 503 and b"reset reason" in answer.body
    answer = front.get("/dead")
    assert answer.body == b"circuit breaker open"
    assert answer.header("x-envoy-overloaded") == "true"
    assert 1 <= int(answer.header("retry-after")) <= 60
    assert front.get("/echo").status == 200
    assert circuits(front) == {"dead": "open", "one": "closed"}
    assert front.stats(r"\.breaker\.") == {
        "dynamicmodulescustom.breaker.opened": 1,
        "dynamicmodulescustom.breaker.refused": 1,
    }


def test_clients_that_leave_are_no_failures(envoy, backend):
    front = envoy(
        module_filter("sallyport.health"),
        module_filter("sallyport.breaker", failures=1, open_for="0.1s"),
    )
    gone = "http.in.downstream_cx_destroy_remote_active_rq"

    def leave(n):
        with client.connect(front.address) as s:
            s.sendall(client.encode_request("GET", "/never"))
            backend.wait_in_flight(1)
        until(lambda: front.stats(gone).get(gone) == n, "Envoy has seen it")

    assert front.get("/echo").status == 200
    leave(1)
    assert circuits(front) == {"one": "closed"}
    assert front.get("/status/500").status == 500
    until(lambda: circuits(front) == {"one": "half-open"}, "it half opens")
    # The probe that is left says nothing: the next request is one again.
    leave(2)
    assert front.get("/echo").status == 200
    assert circuits(front) == {"one": "closed"}


# ---- hostile requests and responses ----


HOSTILE = {
    "huge": [("X-Key", "k" * 50000)],
    "binary": [("X-Key", "".join(chr(i) for i in range(0x80, 0x100)))],
    "many": [(f"X-{i}", "v") for i in range(90)],
    "again": [("X-Key", "same")] * 50,
    "empty": [("X-Key", "")],
    "blank": [("X-Key", " \t ")],
    "format": [("X-Key", "%s%n%REQ(X-KEY)%")],
    "quotes": [("X-Key", '"\\"\\u0000{}')],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_any_header_may_be_a_key(envoy, kind):
    front = envoy(
        module_filter("sallyport.rewrite", pattern="^/x", substitution="/"),
        module_filter(LIMIT, limit=2, window="60s", key_header="X-Key"),
        module_filter("sallyport.breaker"),
        module_filter("sallyport.location"),
    )
    fields = HOSTILE[kind]
    assert [front.get("/echo", fields).status for _ in range(3)] == (
        [200, 200, 429]
    )
    assert front.get("/echo", [("X-Key", "other")]).status == 200


@pytest.mark.parametrize(
    "bad",
    [b"a\rb", b"a\nb", b"a\x00b", b"a\r\nX-Injected: 1"],
    ids=["cr", "lf", "nul", "crlf"],
)
def test_what_envoy_refuses_never_reaches_a_filter(envoy, bad):
    front = envoy(
        module_filter(LIMIT, limit=1, window="60s", key_header="X-Key")
    )
    request = b"GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Key: "
    answer = front.send([request + bad + b"\r\n\r\n"])
    assert answer.status in (200, 400)
    assert front.get("/echo", [("X-Key", "a")]).status in (200, 429)


def test_hostile_paths_are_rewritten_or_refused(envoy):
    front = envoy(
        module_filter(
            "sallyport.rewrite", pattern="(a|aa)+$", substitution="\\0\\0\\0"
        ),
    )
    answer = front.get("/echo/" + "a" * 5000 + "!")
    assert answer.status in (200, 400)
    answer = front.get("/" + "a" * 30000)
    assert answer.status in (200, 400)
    assert front.get("/echo/%00%ff?a=aaa").status == 200


def test_hostile_responses_pass_the_location_filter(envoy, backend):
    front = envoy(
        module_filter("sallyport.location"),
        routes=[
            route(
                "/",
                typed_per_filter_config={
                    "sallyport.location": route_filter(
                        "sallyport.location",
                        backend=backend.url,
                        base="/inner",
                        prefix="/outer",
                    )
                },
            )
        ],
    )
    backend.response_headers = [
        ("Location", f"{backend.url}/inner/" + "x" * 20000),
        ("Content-Location", "\xff\xfe://\x80"),
        *[("Set-Cookie", f"c{i}=1; Path=/inner; ; ;=;Path") for i in range(40)],
        ("Set-Cookie", ";" * 5000),
        ("Set-Cookie", ""),
    ]
    answer = front.get("/headers")
    assert answer.status == 200
    assert answer.header("location") == (
        "http://gateway.test/outer/" + "x" * 20000
    )
    cookies = answer.all("set-cookie")
    assert sum(c.startswith("c") for c in cookies) == 40
    assert all("Path=/outer" in c for c in cookies if c.startswith("c"))


# ---- configurations ----


def test_a_check_of_the_configuration_leaves_nothing_behind(scene, backend):
    folder = scene.new_folder()
    config = {
        "static_resources": {
            "listeners": [
                listener(
                    free_port(),
                    [
                        module_filter(LIMIT, limit=5, window="60s"),
                        module_filter("sallyport.breaker"),
                        module_filter("sallyport.health"),
                    ],
                )
            ],
            "clusters": [cluster("one", backend.port)],
        }
    }
    fine, _ = validate(folder, config, f"{folder}/state")
    assert fine
    assert not os.path.exists(f"{folder}/state")


REFUSED = [
    (
        module_filter(LIMIT, limit=5, windw="60s"),
        [r"filter_config of sallyport.rate_limit:1:\d+: error", "`window`?"],
    ),
    (module_filter(LIMIT, limit=1e15, window="1s"), ["limit", "error"]),
    (module_filter(LIMIT, limit=1.5, window="1s"), ["a whole number"]),
    (module_filter(LIMIT, limit=-1, window="1s"), ["limit"]),
    (
        module_filter(LIMIT, limit=5, window="1s", key_claim="sub"),
        ["claim_to_headers"],
    ),
    (
        module_filter("sallyport.rewrite", pattern="(", substitution=""),
        ["the pattern"],
    ),
    (module_filter("sallyport.limit"), ['no filter "sallyport.limit"']),
    (module_filter("traps.timer"), ["it needs a timer"]),
]


@pytest.mark.parametrize("i", range(len(REFUSED)))
def test_what_is_wrong_is_refused_with_its_place(scene, backend, i):
    folder, (wrong, words) = scene.new_folder(), REFUSED[i]
    config = {
        "static_resources": {
            "listeners": [listener(free_port(), [wrong])],
            "clusters": [cluster("one", backend.port)],
        }
    }
    fine, said = validate(folder, config, f"{folder}/state")
    assert not fine
    for word in words:
        assert re.search(word.replace("?", r"\?"), said), said


def test_without_the_module_no_policy_vanishes(scene, backend):
    folder = scene.new_folder()
    config = {
        "static_resources": {
            "listeners": [
                listener(
                    free_port(), [module_filter(LIMIT, limit=5, window="1s")]
                )
            ],
            "clusters": [cluster("one", backend.port)],
        }
    }
    env = {"ENVOY_DYNAMIC_MODULES_SEARCH_PATH": folder}
    fine, said = validate(folder, config, f"{folder}/state", env)
    assert not fine
    assert "libsallyport.so" in said


def test_a_state_file_that_cannot_be_used_is_an_error(scene, backend):
    folder = scene.new_folder()
    os.mkdir(f"{folder}/state")
    front = start(
        folder,
        [module_filter(LIMIT, limit=5, window="1s")],
        backend,
    )
    assert front.wait() == 1
    assert "state file" in front.stderr()


# ---- new configurations under way ----


class Discovered:
    """An Envoy whose listeners come from a file that changes."""

    def __init__(self, scene, backend):
        self.folder, self.port = scene.new_folder(), free_port()
        self.path = f"{self.folder}/listeners.yaml"
        self.version = 0
        self.backend = backend

    def write(self, *filters, port=None, **options):
        self.version += 1
        resources = [
            {
                "@type": "type.googleapis.com/envoy.config.listener.v3."
                "Listener",
                **listener(port or self.port, list(filters), **options),
            }
        ]
        self.put(resources if filters else [])

    def put(self, resources):
        """Envoy looks when a file is moved into place."""
        text = {"version_info": str(self.version), "resources": resources}
        servers.write(f"{self.path}.new", yaml.safe_dump(text))
        os.rename(f"{self.path}.new", self.path)

    def start(self, workers=2, **options):
        config = {
            "node": {"id": "test", "cluster": "test"},
            "dynamic_resources": {
                "lds_config": {"path_config_source": {"path": self.path}}
            },
            "static_resources": {
                "clusters": [cluster("one", self.backend.port)]
            },
        }
        return Inside(self.folder, config, self.port, workers, **options)


def mappings(front):
    with open(f"/proc/{front.pid}/maps") as f:
        return sum(line.rstrip().endswith("/state") for line in f)


def test_a_new_listener_goes_on_with_the_state(scene, backend):
    found = Discovered(scene, backend)
    limit = {"window": "60s", "scope": "all", "key_header": "X-Key"}
    key = {"X-Key": "the same"}
    found.write(
        module_filter("sallyport.health"),
        module_filter(LIMIT, limit=5, **limit),
    )
    # One worker: several do not change over at the same moment.
    front = scene.keep(found.start(workers=1, drain=60)).ready()
    backend.hold()
    with ThreadPoolExecutor(3) as pool:
        # These three stay within the old configuration until they are done.
        waiting = [pool.submit(front.get, "/wait", key) for _ in range(3)]
        backend.wait_in_flight(3)
        found.write(
            module_filter("sallyport.health", path="/how"),
            module_filter(LIMIT, limit=4, **limit),
        )
        until(
            lambda: front.get("/how").status == 200
            and front.get("/how").header("content-type")
            == "application/json",
            "the new listener answers",
        )
        assert front.get("/echo", key).status == 200
        assert front.get("/echo", key).status == 429
        backend.release()
        assert [w.result().status for w in waiting] == [200] * 3
    assert mappings(front) == 1


def test_a_wrong_update_changes_nothing(scene, backend):
    found = Discovered(scene, backend)
    found.write(module_filter(LIMIT, limit=2, window="60s"))
    front = scene.keep(found.start()).ready()
    assert front.get("/echo").status == 200
    rejected = "listener_manager.lds.update_rejected"
    found.write(module_filter(LIMIT, limit=0, window="60s"))
    until(lambda: front.stats(rejected).get(rejected) == 1, "it is rejected")
    assert [front.get("/echo").status for _ in range(2)] == [200, 429]


def test_the_module_may_leave_and_come_back(scene, backend):
    found = Discovered(scene, backend)
    limit = module_filter(LIMIT, limit=3, window="60s", scope="all")
    found.write(limit)
    front = scene.keep(found.start()).ready()
    for left in (2, 1):
        assert front.get("/echo").status == 200
        # The last configuration goes, and the state file with it.
        found.write()
        until(lambda: mappings(front) == 0, "the state file is let go")
        found.write(limit)
        front.ready()
        assert mappings(front) == 1
    assert front.get("/echo").status == 200
    assert front.get("/echo").status == 429


def test_requests_under_fire_of_updates(scene, backend):
    found = Discovered(scene, backend)

    def write(i):
        found.write(
            module_filter("sallyport.health"),
            module_filter(LIMIT, limit=1000 + i, window="60s"),
            module_filter("sallyport.breaker"),
            module_filter("sallyport.location"),
        )

    write(0)
    front = scene.keep(found.start()).ready()
    good = "listener_manager.lds.update_success"
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(front.get, "/echo") for _ in range(400)]
        for i in range(1, 9):
            write(i)
            until(
                lambda: front.stats(good).get(good, 0) >= i + 1,
                f"update {i} has arrived",
            )
        counted = Counter(a.result().status for a in asked)
    # A connection that the old listener had accepted may be closed unheard.
    assert set(counted) <= {200, 0}
    assert counted[200] > 300
    assert front.get("/echo").status == 200


def test_a_response_keeps_the_rule_of_its_request(scene, backend):
    """New routes drop the rule that a request under way has been counted by."""
    folder = scene.new_folder()
    path = f"{folder}/routes.yaml"

    def write(version, limit):
        rule = {LIMIT: route_filter(LIMIT, limit=limit, window="60s")}
        config = {
            "@type": TYPE + "envoy.config.route.v3.RouteConfiguration",
            "name": "routes",
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [route("/", typed_per_filter_config=rule)],
                }
            ],
        }
        text = {"version_info": version, "resources": [config]}
        servers.write(f"{path}.new", yaml.safe_dump(text))
        os.rename(f"{path}.new", path)

    write("1", 7)
    source = {"path_config_source": {"path": path}}
    front = start(
        folder,
        [module_filter(LIMIT)],
        backend,
        route_config=None,
        rds={"route_config_name": "routes", "config_source": source},
        node={"id": "test", "cluster": "test"},
    )
    scene.keep(front).ready()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(front.get, "/wait")
        backend.wait_in_flight(1)
        for i in range(2, 6):
            write(str(i), 100 * i)
            until(
                lambda: front.get("/echo").header("ratelimit-policy")
                == f'"default";q={100 * i};w=60',
                "the new routes are there",
            )
        backend.release()
        answer = waiting.result()
    assert answer.status == 200
    assert answer.header("ratelimit-policy") == '"default";q=7;w=60'
    assert answer.header("ratelimit") == '"default";r=6;t=60'


def test_a_hot_restart_goes_on_with_the_state(scene, backend):
    folder, port = scene.new_folder(), free_port()
    key = {"X-Key": "the same"}

    def epoch(n, limit):
        filters = [
            module_filter("sallyport.health", path=f"/epoch{n}"),
            module_filter(
                LIMIT,
                limit=limit,
                window="60s",
                scope="all",
                key_header="X-Key",
            ),
        ]
        config = {
            "static_resources": {
                "listeners": [listener(port, filters)],
                "clusters": [cluster("one", backend.port)],
            }
        }
        made = Inside(
            folder, config, port, epoch=(n, f"{folder}/base"), name=f"epoch{n}"
        )
        return scene.keep(made)

    def serves(n):
        answer = old.get(f"/epoch{n}")
        return answer.header("content-type") == "application/json" and (
            "circuits" in answer.json()
        )

    old = epoch(0, 4).ready()
    assert old.get("/echo", key).status == 200
    backend.hold()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(old.get, "/wait", key)
        backend.wait_in_flight(1)
        new = epoch(1, 3)
        until(lambda: serves(1) and not serves(0), "the new Envoy serves")
        # The old one still has a request; all of them count together.
        assert new.get("/echo", key).status == 200
        assert new.get("/echo", key).status == 429
        backend.release()
        assert waiting.result().status == 200
    assert old.wait() == 0
    assert new.get("/echo", key).status == 429
