"""JSON Web Tokens made by hand and by OpenSSL, the wrong ones too."""

import base64
import hashlib
import hmac
import json
import subprocess
import time

SECRET = "a secret of the tests, long enough for any of the hashes, 64 by"
HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value):
    if isinstance(value, bytes):
        return b64(value)
    return b64(json.dumps(value).encode())


def claims(**more):
    """Claims good for an hour; None takes one away."""
    all_claims = {"sub": "alice", "exp": int(time.time()) + 3600}
    all_claims.update(more)
    return {k: v for k, v in all_claims.items() if v is not None}


def hmac_token(payload=None, alg="HS256", secret=SECRET, header=None):
    """header and payload may be dicts or the bytes to encode."""
    header = {"alg": alg, "typ": "JWT"} if header is None else header
    payload = claims() if payload is None else payload
    signed = f"{segment(header)}.{segment(payload)}"
    digest = hmac.new(secret.encode(), signed.encode(), HASHES[alg[2:]])
    return f"{signed}.{b64(digest.digest())}"


def openssl(*args, data=None):
    return subprocess.run(
        ["openssl", *args],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=True,
    ).stdout


def der_integers(der):
    """The two integers of an ECDSA signature."""
    at = 2 if der[1] < 128 else 3
    numbers = []
    for _ in range(2):
        size = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + size], "big"))
        at += 2 + size
    return numbers


class Key:
    """A private key in a file below folder; jwk() is its public half."""

    CURVES = {
        "ES256": ("prime256v1", "P-256", 32),
        "ES384": ("secp384r1", "P-384", 48),
        "ES512": ("secp521r1", "P-521", 66),
    }

    def __init__(self, folder, alg, kid="k1"):
        self.alg, self.kid = alg, kid
        self.path = f"{folder}/{alg}-{kid}.pem"
        if alg.startswith("RS"):
            options = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        else:
            curve = self.CURVES[alg][0]
            options = ["EC", "-pkeyopt", f"ec_paramgen_curve:{curve}"]
        openssl("genpkey", "-out", self.path, "-algorithm", *options)

    def public_pem(self):
        return openssl("pkey", "-in", self.path, "-pubout").decode()

    def jwk(self, **more):
        if self.alg.startswith("RS"):
            text = openssl("rsa", "-in", self.path, "-noout", "-modulus")
            n = bytes.fromhex(text.decode().strip().partition("=")[2])
            key = {"kty": "RSA", "n": b64(n), "e": "AQAB"}
        else:
            _, name, size = self.CURVES[self.alg]
            der = openssl(
                "pkey", "-in", self.path, "-pubout", "-outform", "DER"
            )
            point = der[-2 * size :]
            key = {
                "kty": "EC",
                "crv": name,
                "x": b64(point[:size]),
                "y": b64(point[size:]),
            }
        key.update({"kid": self.kid, "alg": self.alg, "use": "sig"}, **more)
        return key

    def token(self, payload=None, header=None):
        header = header or {"alg": self.alg, "kid": self.kid}
        payload = claims() if payload is None else payload
        signed = f"{segment(header)}.{segment(payload)}"
        signature = openssl(
            "dgst",
            f"-sha{self.alg[2:]}",
            "-sign",
            self.path,
            data=signed.encode(),
        )
        if self.alg.startswith("ES"):
            size = self.CURVES[self.alg][2]
            signature = b"".join(
                n.to_bytes(size, "big") for n in der_integers(signature)
            )
        return f"{signed}.{b64(signature)}"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
