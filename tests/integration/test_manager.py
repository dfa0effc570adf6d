"""What Envoy's HttpConnectionManager does with requests that lighttpd, the
web server of the comparison with Envoy, does not let through or answers
itself."""

import pytest

from harness import config, fcgi
from harness.client import connect


def answer_of(gateway, method, uri, *more, without=(), **options):
    params = [
        pair
        for pair in fcgi.params_for(method, uri, *more)
        if pair[0] not in (*without, *(name for name, _ in more))
    ]
    with connect(gateway.address, 30) as s:
        s.sendall(fcgi.encode(params + list(more), options.get("stdin", b"")))
        return fcgi.read_answer(s)


@pytest.mark.parametrize(
    ["method", "uri", "status", "body"],
    [
        ("OPTIONS", "*", 404, b""),
        ("GET", "a/b", 400, b"Bad Request"),
        ("GET", "ftp://gateway.test/", 400, b"Bad Request"),
        ("GET", "http:///x", 400, b"Bad Request"),
        ("GET", "/#fragment", 400, b""),
        ("GET", "/%00", 400, b""),
    ],
)
def test_targets_that_are_no_path(scene, backend, method, uri, status, body):
    gateway = scene.gateway(config.envoy(backend, normalize_path=True))
    answer = answer_of(gateway, method, uri)
    assert (answer.status, answer.body) == (status, body)


def test_an_absolute_target_names_the_host(scene, backend):
    gateway = scene.gateway(config.envoy(backend))
    answer = answer_of(gateway, "GET", "http://other.test:81/x?y")
    assert answer.status == 200
    assert b'"other.test:81"' in answer.body
    assert b'"/x?y"' in answer.body


def test_http_1_0_is_refused_unless_accepted(scene, backend):
    old = ("SERVER_PROTOCOL", "HTTP/1.0")
    gateway = scene.gateway(config.envoy(backend))
    answer = answer_of(gateway, "GET", "/", old)
    assert (answer.status, answer.body) == (426, b"Upgrade Required")
    gateway = scene.gateway(
        config.envoy(
            backend, http_protocol_options={"accept_http_10": True}
        )
    )
    assert answer_of(gateway, "GET", "/", old).status == 200
    hostless = answer_of(gateway, "GET", "/", old, without=["HTTP_HOST"])
    assert (hostless.status, hostless.body) == (400, b"")


def test_the_short_form_serves_http_1_0_without_a_host(scene, backend):
    gateway = scene.gateway(config.one_route(backend))
    answer = answer_of(
        gateway,
        "GET",
        "/api/x",
        ("SERVER_PROTOCOL", "HTTP/1.0"),
        without=["HTTP_HOST"],
    )
    assert answer.status == 200


def test_http_2_may_come_without_a_host_parameter(scene, backend):
    gateway = scene.gateway(config.envoy(backend))
    answer = answer_of(
        gateway,
        "GET",
        "/",
        ("SERVER_PROTOCOL", "HTTP/2.0"),
        without=["HTTP_HOST"],
    )
    assert answer.status == 200
    assert b'"gateway.test"' in answer.body


def test_a_request_that_does_not_come_whole_is_given_up(scene, backend):
    gateway = scene.gateway(config.envoy(backend, request_timeout="0.2s"))
    with connect(gateway.address, 30) as s:
        params = fcgi.params_for("POST", "/", ("CONTENT_LENGTH", "100"))
        s.sendall(
            fcgi.begin()
            + fcgi.stream(fcgi.PARAMS, fcgi.pairs(params))
            + fcgi.record(fcgi.STDIN, b"half")
        )
        answer = fcgi.read_answer(s)
    assert (answer.status, answer.body) == (408, b"request timeout")


@pytest.mark.parametrize(
    ["verdict", "is_kept"],
    [("NONE", False), ("FAILED:expired", False), ("SUCCESS", True)],
)
def test_a_certificate_is_one_when_it_is_verified(
    scene, backend, verdict, is_kept
):
    gateway = scene.gateway(
        config.envoy(backend, forward_client_cert_details="FORWARD_ONLY")
    )
    header = ("HTTP_X_FORWARDED_CLIENT_CERT", "By=http://before")
    verify = ("SSL_CLIENT_VERIFY", verdict)
    answer = answer_of(gateway, "GET", "/", header, verify)
    assert (b"By=http://before" in answer.body) == is_kept
