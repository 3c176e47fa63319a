"""An issuer with an EdDSA key and a key set, like Better Auth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.owners import claims_of

KEY_ID = "benchmark"


@dataclass(frozen=True, slots=True)
class Issuer:
    url: str
    key: Ed25519PrivateKey

    def token(self, subject: str, device: int) -> str:
        claims = {**claims_of(subject, device), "iss": self.url, "aud": self.url}
        return jwt.encode(claims, self.key, "EdDSA", headers={"kid": KEY_ID})


@contextmanager
def issuer() -> Iterator[Issuer]:
    """Serve the key set on loopback, where this project accepts plain http."""
    key = Ed25519PrivateKey.generate()
    public = jwt.get_algorithm_by_name("EdDSA").to_jwk(key.public_key(), as_dict=True)
    body = json.dumps({"keys": [{"alg": "EdDSA", "kid": KEY_ID, **public}]}).encode()

    class KeySet(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), KeySet)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Issuer(f"http://127.0.0.1:{server.server_port}", key)
    finally:
        server.shutdown()
        server.server_close()
