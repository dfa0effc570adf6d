"""Certificates for the session: in a folder stand ca.pem, the authority of
cert.pem (with key.pem), and other.pem, an authority that signed nothing."""

import os
import ssl

from harness.tokens import openssl


def _new(folder, name, key, *options):
    openssl(
        *("req", "-x509", "-days", "2", "-nodes", "-subj", f"/CN={name}"),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-keyout", f"{folder}/{key}", "-out", f"{folder}/{name}.pem"),
        *options,
    )


def issue(folder):
    os.mkdir(folder)
    _new(folder, "ca", "ca.key")
    _new(folder, "other", "other.key")
    _new(
        folder,
        "cert",
        "key.pem",
        *("-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key"),
        *("-addext", "subjectAltName=DNS:backend.test,IP:127.0.0.1"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
    )


def tls_context(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return context
