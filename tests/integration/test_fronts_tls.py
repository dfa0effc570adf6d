"""What web servers that speak TLS say of it to the gateway."""

import ssl

import pytest
from harness import client, servers
from harness.config import envoy
from harness.tokens import openssl

NAME = "a.example"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """own.pem of the server, good.pem that it trusts, and other.pem."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("own", "good", "other"):
        openssl(
            *("req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", f"/O=Example/CN={name}.example"),
            *("-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt"),
        )
        with open(f"{folder}/{name}.pem", "w") as f:
            for part in ("crt", "key"):
                f.write((folder / f"{name}.{part}").read_text())
    return str(folder)


def behind_tls(scene, backend, front, certificates):
    config = envoy(
        backend,
        use_remote_address=True,
        forward_client_cert_details="SANITIZE_SET",
        set_current_client_cert_details={"subject": True},
    )
    gateway = scene.gateway(config)
    own, good = f"{certificates}/own", f"{certificates}/good"
    if front == "haproxy":
        made = servers.haproxy(
            gateway,
            f"ssl crt {own}.pem verify optional ca-file {good}.crt "
            "crt-ignore-err all",
        )
    elif front == "apache":
        made = servers.apache_proxy(
            gateway,
            ["socache_shmcb", "ssl"],
            f"SSLEngine on\nSSLCertificateFile {own}.crt\n"
            f"SSLCertificateKeyFile {own}.key\n"
            f"SSLCACertificateFile {good}.crt\n"
            "SSLVerifyClient optional_no_ca\n"
            "SSLOptions +StdEnvVars +ExportCertData\n",
        )
    elif front == "caddy":
        made = servers.caddy(
            gateway,
            "https",
            f"\ttls {own}.crt {own}.key {{\n\t\tclient_auth {{\n"
            "\t\t\tmode request\n\t\t}\n\t}\n",
        )
    else:
        made = servers.nginx(
            gateway,
            "ssl",
            f"ssl_certificate {own}.crt;\nssl_certificate_key {own}.key;\n"
            f"ssl_client_certificate {good}.crt;\n"
            "ssl_verify_client optional_no_ca;",
        )
    return scene.keep(made)


def headers_over_tls(front, certificates, own=None):
    """What the backend gets of a request by a client with a certificate."""
    context = ssl.create_default_context(cafile=f"{certificates}/own.crt")
    context.check_hostname = False
    if own:
        context.load_cert_chain(f"{certificates}/{own}.pem")
    forged = {
        "X-Forwarded-Client-Cert": "Subject=forged",
        "SSL_CLIENT_VERIFY": "SUCCESS",
        "SSL-CLIENT-VERIFY": "SUCCESS",
    }
    with client.connect(front.address) as plain:
        with context.wrap_socket(plain, server_hostname=NAME) as s:
            s.sendall(client.encode_request("GET", "/echo", forged, host=NAME))
            answer = client.Response(client.read_all(s))
    assert answer.status == 200, answer
    return {n.lower(): v for n, v in answer.json()["headers"]}


@pytest.mark.parametrize("front", ["nginx", "haproxy", "apache", "caddy"])
def test_the_backend_is_told_of_tls(scene, backend, front, certificates):
    front = behind_tls(scene, backend, front, certificates)
    headers = headers_over_tls(front, certificates)
    assert headers["x-forwarded-proto"] == "https"
    assert "x-forwarded-client-cert" not in headers
    # None of them takes a certificate that nobody knows for a good one.
    headers = headers_over_tls(front, certificates, "other")
    assert "x-forwarded-client-cert" not in headers


@pytest.mark.parametrize("front", ["nginx", "apache"])
def test_a_certificate_that_was_verified_is_handed_over(
    scene, backend, front, certificates
):
    front = behind_tls(scene, backend, front, certificates)
    headers = headers_over_tls(front, certificates, "good")
    told = headers["x-forwarded-client-cert"]
    assert told.startswith("Hash=")
    assert 'Subject="CN=good.example,O=Example"' in told
