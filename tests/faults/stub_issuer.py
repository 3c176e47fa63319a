"""Run an issuer on loopback with real keys, and change its answers while it runs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from authn.testing import Clock, Issuer, jwk
from tests.support.processes import free_port

SLOW_SECONDS = 10
HUGE_MEGABYTES = 200


class StubIssuer:
    """``fetches`` has the time of each fetch, and ``behave`` answers the next one."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = Issuer(url=self.url, clock=Clock(time.time()))
        self.fetches: list[float] = []
        self.behave: Behaviour = healthy
        self.over = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    def listen(self) -> None:
        if self._server is None:
            stub = self

            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    stub.fetches.append(time.monotonic())
                    with suppress(OSError):  # the API does not wait for ever
                        stub.behave(stub, self)

                def log_message(self, *arguments: Any) -> None:
                    pass

            self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
            threading.Thread(target=self._server.serve_forever, args=[0.05]).start()

    def refuse_connections(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


Behaviour = Callable[[StubIssuer, BaseHTTPRequestHandler], None]


@contextmanager
def stub_issuer() -> Iterator[StubIssuer]:
    stub = StubIssuer()
    stub.listen()
    try:
        yield stub
    finally:
        stub.over.set()
        stub.refuse_connections()


def respond(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    *,
    status: int = 200,
    media_type: str = "application/json",
    **headers: str,
) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": media_type, **headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def healthy(stub: StubIssuer, handler: BaseHTTPRequestHandler) -> None:
    respond(handler, json.dumps(stub.issuer.jwks()).encode())


def slow(stub: StubIssuer, handler: BaseHTTPRequestHandler) -> None:
    stub.over.wait(SLOW_SECONDS)
    healthy(stub, handler)


def html(stub: StubIssuer, handler: BaseHTTPRequestHandler) -> None:
    respond(handler, b"<!doctype html><title>Welcome</title>", media_type="text/html")


def garbage(stub: StubIssuer, handler: BaseHTTPRequestHandler) -> None:
    respond(handler, bytes(range(256)) * 16)


def huge(stub: StubIssuer, handler: BaseHTTPRequestHandler) -> None:
    """Send 200 MB that start like a key set."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(json.dumps(stub.issuer.jwks()).encode())
    for _ in range(HUGE_MEGABYTES):
        handler.wfile.write(b" " * 1_000_000)


def redirect(stub: StubIssuer, handler: BaseHTTPRequestHandler) -> None:
    """Redirect to the same address with a query, which would get the right answer."""
    if "?" in handler.path:
        healthy(stub, handler)
    else:
        respond(handler, b"", status=302, Location=f"{stub.url}{handler.path}?there")


def only_bad_keys(stub: StubIssuer, handler: BaseHTTPRequestHandler) -> None:
    respond(handler, json.dumps({"keys": bad_keys(stub.issuer)}).encode())


def bad_neighbours(stub: StubIssuer, handler: BaseHTTPRequestHandler) -> None:
    keys = [*bad_keys(stub.issuer), *stub.issuer.jwks()["keys"]]
    respond(handler, json.dumps({"keys": keys}).encode())


def bad_keys(issuer: Issuer) -> list[Any]:
    """Return a key of each unusable kind, under its own kid."""
    [good] = Issuer(url=issuer.url).jwks()["keys"]
    small = jwk("RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    kinds: list[Any] = [
        {"kty": "oct", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0", "alg": "HS256"},
        {**good, "use": "enc"},
        {**good, "crv": "Ed448"},
        {**good, "x": "AA"},
        {**good, "alg": "none"},
        small,
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "of the future"},
        {},
    ]
    named = [{**key, "kid": f"bad-{number}"} for number, key in enumerate(kinds)]
    return [*named, None, "a string", 7]
