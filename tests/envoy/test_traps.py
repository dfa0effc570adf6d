"""What is done wrong easily inside Envoy, and what our shim makes of it. The
filters are those of tests/unit/module/traps.c."""

import pytest
from harness import client
from judge.inside import (
    cluster,
    module_filter,
    route,
    route_filter,
    start,
    without_sanitizers,
)

pytestmark = without_sanitizers

LOG = (
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %CUSTOM_FLAGS% %RESPONSE_CODE_DETAILS% "
    "%DYNAMIC_METADATA(traps:seen)% %DYNAMIC_METADATA(traps:end)%"
)


@pytest.fixture
def envoy(scene, backend):
    def go(*filters, **options):
        made = start(scene.new_folder(), list(filters), backend, **options)
        return scene.keep(made).ready()

    return go


def seen(response):
    """The fields of the request as the echoing backend saw it."""
    return dict(response.json()["headers"])


# ---- waiting and bodies ----


def post_head(*fields):
    lines = ["POST /echo HTTP/1.1", "Host: gateway.test", "Connection: close"]
    return ("\r\n".join([*lines, *fields]) + "\r\n\r\n").encode()


def test_headers_leave_only_with_the_whole_body(envoy, backend):
    front = envoy(module_filter("traps.body", max=1000, find="evil"))
    answer = front.send(
        [post_head("Content-Length: 9"), b"one ", b"two ", b"3"], "POST"
    )
    assert answer.status == 200
    assert answer.json()["body"] == "one two 3"
    assert seen(answer)["x-body"] == "9"


def test_what_is_found_across_parts_never_leaves(envoy, backend):
    front = envoy(module_filter("traps.body", max=1000, find="evil"))
    answer = front.send(
        [post_head("Content-Length: 9"), b"some ev", b"il"], "POST"
    )
    assert (answer.status, answer.body) == (403, b"not that")
    assert backend.requests == []


def test_trailers_do_not_smuggle_a_body_by(envoy, backend):
    front = envoy(
        module_filter("traps.body", max=1000, find="evil"),
        http_protocol_options={"enable_trailers": True},
    )
    head = post_head("Transfer-Encoding: chunked", "Trailer: x-end")
    body = b"4\r\nevil\r\n0\r\nx-end: 1\r\n\r\n"
    assert front.send([head, body], "POST").status == 403
    assert backend.requests == []
    body = b"4\r\ngood\r\n0\r\nx-end: 1\r\n\r\n"
    answer = front.send([head, body], "POST")
    assert answer.status == 200
    assert seen(answer)["x-body"] == "4"
    assert answer.json()["body"].startswith("good")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_is_too_long_is_refused(envoy, backend, framing):
    front = envoy(module_filter("traps.body", max=8), log=LOG)
    if framing == "length":
        # Before any of it has come.
        answer = front.send([post_head("Content-Length: 9")], "POST")
    else:
        head = post_head("Transfer-Encoding: chunked")
        answer = front.send([head, b"5\r\n12345\r\n4\r\n6789\r\n"], "POST")
    assert (answer.status, answer.body) == (413, b"Payload Too Large")
    assert backend.requests == []
    assert "request_payload_too_large" in front.log_lines(1)[0]


def test_a_body_may_be_longer_than_envoy_keeps_by_itself(envoy):
    front = envoy(module_filter("traps.body", max=4 << 20))
    body = b"x" * (3 << 20)
    answer = front.request("POST", "/sink", body=body)
    assert answer.status == 200
    assert answer.json()["bytes"] == len(body)


@pytest.mark.parametrize("framing", ["length", "chunked", "none"])
def test_a_new_body_has_its_own_length(envoy, framing):
    front = envoy(
        module_filter("traps.body", max=100, replacement="something longer")
    )
    if framing == "length":
        answer = front.request("POST", "/echo", body=b"short")
    elif framing == "chunked":
        head = post_head("Transfer-Encoding: chunked")
        answer = front.send([head, b"5\r\n12345\r\n0\r\n\r\n"], "POST")
    else:
        answer = front.get("/echo")
    assert answer.status == 200
    assert answer.json()["body"] == "something longer"
    assert seen(answer)["content-length"] == "16"


def test_two_filters_look_at_one_body(envoy):
    front = envoy(
        module_filter("traps.body", "first", max=100, replacement="changed"),
        module_filter("traps.body", "second", max=100, find="as it came"),
    )
    answer = front.request("POST", "/echo", body=b"as it came")
    assert answer.status == 200
    assert answer.json()["body"] == "changed"
    assert seen(answer)["x-body"] == "7"


def test_a_request_never_hangs_on_a_filter_that_waits(envoy, backend):
    front = envoy(module_filter("traps.wait"))
    for body in (None, b"x" * 100000):
        answer = front.request("POST", "/echo", body=body)
        assert answer.status == 500
    assert backend.requests == []


# ---- replies ----


def test_a_reply_is_one_of_envoys_own(envoy, backend):
    mapper = {
        "filter": {
            "status_code_filter": {
                "comparison": {
                    "op": "EQ",
                    "value": {"default_value": 419, "runtime_key": "x"},
                }
            }
        },
        "body_format_override": {
            "json_format": {"error": "%LOCAL_REPLY_BODY%"}
        },
    }
    front = envoy(
        module_filter("traps.reply", where="request"),
        log=LOG,
        local_reply_config={"mappers": [mapper]},
    )
    answer = front.get("/")
    assert answer.status == 419
    assert answer.json() == {"error": "trapped"}
    assert answer.header("x-trap") == "sprung"
    # Neither the field that would split the answer nor the one without a name.
    assert answer.header("x-bad") is None and answer.header("b") is None
    assert front.log_lines(1) == ["419 - TR trap_sprung - -"]
    assert backend.requests == []


def test_the_sender_does_not_see_its_reply_and_all_others_do(envoy):
    front = envoy(
        module_filter("traps.end", "before"),
        module_filter("traps.reply", "sender", where="request"),
        module_filter("traps.end", "after"),
        log=LOG,
    )
    answer = front.get("/x")
    assert answer.status == 419
    assert answer.header("x-seen") is None
    assert answer.header("x-details") == "trap_sprung"
    # "after" has seen the response only and ends as well; it comes last.
    assert front.log_lines(1)[0] == "419 - TR trap_sprung /x 2 419 trap_sprung"
    assert front.stats("ends") == {"dynamicmodulescustom.ends": 2}


def test_only_the_first_reply_is_sent(envoy):
    front = envoy(module_filter("traps.reply", where="twice"), log=LOG)
    answer = front.get("/")
    assert (answer.status, answer.body) == (418, b"trapped")
    assert len(front.log_lines(1)) == 1


def test_a_reply_may_replace_a_response(envoy, backend):
    front = envoy(module_filter("traps.reply", where="response"), log=LOG)
    answer = front.get("/echo")
    assert (answer.status, answer.body) == (420, b"trapped")
    assert len(backend.requests) == 1
    assert front.log_lines(1)[0].startswith("420 - TR trap_sprung")


def test_a_reply_when_all_is_over_does_nothing(envoy):
    front = envoy(module_filter("traps.reply", where="end"), log=LOG)
    for _ in range(3):
        assert front.get("/echo").status == 200
    lines = front.log_lines(3)
    assert lines == ["200 -  via_upstream - -"] * 3


# ---- header fields ----


def test_fields_that_break_a_message_are_not_written(envoy):
    front = envoy(module_filter("traps.fields"))
    answer = front.get(
        "/echo",
        [
            ("X-Many", "one"),
            ("x-many", "\xe9\xff two"),
            ("X-Once", "a"),
            ("X-Once", "b"),
            ("X-Gone", "1"),
        ],
    )
    assert answer.status == 200
    fields = answer.json()["headers"]
    names = [name for name, _ in fields]
    assert [v for n, v in fields if n == "x-results"] == ["0000000111 3 1"]
    assert not set(names) & {
        *("x-empty", "x-split", "x-injected", "x-nul", "x-control"),
        *("x-gone", "x-once"),
    }
    assert [v for n, v in fields if n == "x-many"] == [
        "one",
        "\xe9\xff two",
        "\xff three",
    ]


@pytest.mark.parametrize("reroute", [False, True])
def test_a_new_path_has_a_new_route_only_when_asked(envoy, backend, reroute):
    front = envoy(
        module_filter("traps.path", path="/echo/new", reroute=reroute),
        routes=[
            route("/echo", "two"),
            {
                "name": "direct",
                "match": {"prefix": "/direct"},
                "direct_response": {"status": 204},
            },
            route("/"),
        ],
        clusters=[cluster("two", backend.port)],
    )
    answer = front.get("/old")
    assert answer.json()["target"] == "/echo/new"
    assert seen(answer)["x-route"] == ("/echo two 1" if reroute else "/ one 1")
    status = front.get("/direct").status
    assert status == (200 if reroute else 204)


# ---- ends ----


def test_the_end_comes_before_the_log_and_knows_the_outcome(envoy, backend):
    front = envoy(module_filter("traps.end"), log=LOG)
    assert front.get("/echo").header("x-details") == "via_upstream"
    assert front.get("/close").status == 503
    assert front.log_lines(2) == [
        "200 -  via_upstream /echo 3 200 via_upstream",
        "503 UC  upstream_reset_before_response_started"
        "{connection_termination} /close 3 503 "
        "upstream_reset_before_response_started{connection_termination}",
    ]


def test_a_client_that_leaves_ends_its_stream_once(envoy, backend):
    front = envoy(module_filter("traps.end"), log=LOG)
    with client.connect(front.address) as s:
        s.sendall(client.encode_request("GET", "/never"))
        backend.wait_in_flight(1)
    assert front.log_lines(1) == [
        "0 DC  downstream_remote_disconnect /never "
        "1  downstream_remote_disconnect"
    ]
    assert front.stats("ends") == {"dynamicmodulescustom.ends": 1}


def test_a_client_that_leaves_within_its_body_is_no_request(envoy, backend):
    front = envoy(
        module_filter("traps.end"),
        module_filter("traps.body", max=1000),
        log=LOG,
    )
    with client.connect(front.address) as s:
        s.sendall(post_head("Content-Length: 10") + b"12345")
    assert "downstream_remote_disconnect" in front.log_lines(1)[0]
    assert backend.requests == []


# ---- routes ----


def test_a_foreign_route_configuration_is_no_way_in(envoy, backend, scene):
    front = envoy(
        module_filter("sallyport.rate_limit"),
        routes=[
            route(
                "/wrong",
                typed_per_filter_config={
                    "sallyport.rate_limit": route_filter(
                        "sallyport.location", backend="http://127.0.0.1:1"
                    )
                },
            ),
            route("/"),
        ],
        log=LOG,
    )
    assert front.get("/echo").status == 200
    assert front.get("/wrong").status == 500
    assert len(backend.requests) == 1
    assert "sallyport_foreign_route_config" in front.log_lines(2)[1]
    assert "sallyport.location for the filter sallyport.rate_limit" in (
        front.stderr()
    )


def test_the_nearest_route_configuration_counts(envoy):
    name = "sallyport.rate_limit"
    near = {name: route_filter(name, limit=1, window="60s")}
    none = {name: route_filter(name)}
    front = envoy(
        module_filter(name, limit=2, window="60s"),
        routes=[
            route("/echo/one", typed_per_filter_config=near),
            route("/echo/free", typed_per_filter_config=none),
            route("/"),
        ],
    )
    targets = ["/echo/one"] * 2 + ["/echo"] * 3 + ["/echo/free"] * 4
    assert [front.get(t).status for t in targets] == (
        [200, 429] + [200, 200, 429] + [200] * 4
    )
