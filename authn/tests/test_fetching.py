"""The fetch against real servers on loopback that behave badly."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authn.exceptions import KeySetInvalid
from authn.fetching import MAX_BYTES, fetch_key_set

Handler = Callable[[socket.socket], None]


@contextmanager
def server(handle: Handler, *, reads_first: bool = True) -> Iterator[str]:
    """The URL of a server that hands each connection, its request read, to ``handle``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    if reads_first:
                        connection.recv(65536)
                    handle(connection)
                except OSError:  # the client hung up, as it should
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/auth/jwks"
    thread.join(5)


def answer(head: str, body: bytes = b"") -> Handler:
    return lambda connection: connection.sendall(head.replace("\n", "\r\n").encode() + body)


def drip(text: bytes, *, at_once: bytes = b"") -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.sendall(at_once)
        for byte in text:
            connection.send(bytes([byte]))
            time.sleep(0.05)

    return handle


def test_the_body_of_a_200_answer_is_returned() -> None:
    with server(answer("HTTP/1.1 200 OK\nContent-Length: 2\n\n", b"{}")) as url:
        assert fetch_key_set(url) == b"{}"


def test_path_and_query_are_asked_for_and_no_token_is_sent() -> None:
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                requests.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=serve)
        thread.start()
        fetch_key_set(f"http://127.0.0.1:{listener.getsockname()[1]}/a/b?c=d#e")
        thread.join()
    assert requests[0].startswith(b"GET /a/b?c=d HTTP/1.1\r\n")
    assert b"authorization" not in requests[0].lower()
    assert b"accept: application/json" in requests[0].lower()


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            "HTTP/1.1 302 Found\nLocation: http://127.0.0.1:1/\nContent-Length: 0\n\n",
            "answered 302",
        ),
        ("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n", "answered 404"),
        ("HTTP/1.1 500 Oops\nContent-Length: 0\n\n", "answered 500"),
        ("HTTP/1.1 204 No Content\n\n", "answered 204"),
        ("SSH-2.0-OpenSSH_9.2\n", "cannot be reached"),
        ("", "cannot be reached"),
        ("HTTP/1.1 200 OK\n" + "X: y\n" * 200 + "\n", "cannot be reached"),
        ("HTTP/1.1 200 OK\nX: " + "y" * 70_000 + "\n\n", "cannot be reached"),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\n", "cannot be reached"),
    ],
    ids=["redirect", "404", "500", "204", "ssh", "hang-up", "headers", "header", "chunk"],
)
def test_any_other_answer_is_a_failure(head: str, message: str) -> None:
    with server(answer(head)) as url, pytest.raises(KeySetInvalid, match=message):
        fetch_key_set(url)


def test_more_than_256_kib_are_refused_without_reading_them() -> None:
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        sent.extend(connection.send(b"x" * 65536) for _ in range(3000))

    with server(flood) as url, pytest.raises(KeySetInvalid, match="larger than 262144 bytes"):
        fetch_key_set(url)
    assert sum(sent) < 50_000_000


def test_exactly_256_kib_are_accepted() -> None:
    head = f"HTTP/1.1 200 OK\nContent-Length: {MAX_BYTES}\n\n"
    with server(answer(head, b"x" * MAX_BYTES)) as url:
        assert len(fetch_key_set(url)) == MAX_BYTES


BODY = b" " * 500
SLOW = {
    "never answers": lambda connection: time.sleep(2),
    "drips the status line": drip(b"HTTP/1.1 200 OK" * 20),
    "drips headers": drip(b"A: b\r\n" * 50, at_once=b"HTTP/1.1 200 OK\r\n"),
    "drips the body": drip(BODY, at_once=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
    "drips a body without length": drip(BODY, at_once=b"HTTP/1.1 200 OK\r\n\r\n"),
    "drips and will close": drip(BODY, at_once=b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
    "drips HTTP/1.0": drip(BODY, at_once=b"HTTP/1.0 200 OK\r\n\r\n"),
}


@pytest.mark.parametrize("handle", SLOW.values(), ids=SLOW.keys())
def test_the_whole_exchange_has_one_time_limit(handle: Handler) -> None:
    with server(handle) as url:
        started = time.monotonic()
        with pytest.raises(KeySetInvalid, match="cannot be reached"):
            fetch_key_set(url, timeout_seconds=0.3)
        assert time.monotonic() - started < 1.5


@pytest.fixture
def over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], Handler]:
    """Makes a handler speak TLS, under a certificate that this test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), serial_number=1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    file = tmp_path / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    trusting = ssl.create_default_context(cadata=pem.decode())
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)

    def wrap(handle: Handler) -> Handler:
        def serve(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(65536)
                handle(tls)

        return serve

    return wrap


@contextmanager
def tls_server(handle: Handler) -> Iterator[str]:
    with server(handle, reads_first=False) as url:
        yield url.replace("http://127.0.0.1", "https://localhost")


def test_a_key_set_is_fetched_over_tls(over_tls: Callable[[Handler], Handler]) -> None:
    with tls_server(over_tls(answer("HTTP/1.1 200 OK\nContent-Length: 2\n\n", b"{}"))) as url:
        assert fetch_key_set(url) == b"{}"


def test_a_certificate_that_nobody_vouches_for_is_a_failure(
    over_tls: Callable[[Handler], Handler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        ssl, "create_default_context", lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    handle = over_tls(answer("HTTP/1.1 200 OK\nContent-Length: 2\n\n", b"{}"))
    monkeypatch.undo()
    with tls_server(handle) as url, pytest.raises(KeySetInvalid, match="SSLCertVerification"):
        fetch_key_set(url)


@pytest.mark.parametrize("kind", ["drips headers", "drips the body", "drips HTTP/1.0"])
def test_tls_has_the_same_time_limit(over_tls: Callable[[Handler], Handler], kind: str) -> None:
    with tls_server(over_tls(SLOW[kind])) as url:
        started = time.monotonic()
        with pytest.raises(KeySetInvalid, match="cannot be reached"):
            fetch_key_set(url, timeout_seconds=0.5)
        assert time.monotonic() - started < 1.5


def test_what_is_sent_in_plain_text_after_the_limit_is_not_read(
    over_tls: Callable[[Handler], Handler],
) -> None:
    """A TLS socket that is shut the ordinary way goes on reading, without TLS."""

    def inject(tls: socket.socket) -> None:
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
        time.sleep(0.6)
        with suppress(OSError):
            socket.socket.sendall(tls, b'{"keys":"x"}')

    with tls_server(over_tls(inject)) as url, pytest.raises(KeySetInvalid):
        fetch_key_set(url, timeout_seconds=0.5)


def test_a_name_that_takes_too_long_to_look_up_leaves_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look_up = socket.getaddrinfo

    def look_up_slowly(*args: Any, **options: Any) -> Any:
        time.sleep(0.3)
        return look_up(*args, **options)

    with server(answer("HTTP/1.1 200 OK\nContent-Length: 2\n\n", b"{}")) as url:
        monkeypatch.setattr(socket, "getaddrinfo", look_up_slowly)
        with pytest.raises(KeySetInvalid):
            fetch_key_set(url, timeout_seconds=0.2)
        monkeypatch.undo()
        assert fetch_key_set(url) == b"{}"


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_addresses_that_do_not_answer_share_the_time(
    monkeypatch: pytest.MonkeyPatch, dead: int
) -> None:
    connect, shares = socket.create_connection, list[float]()

    def connect_to_the_last(address: tuple[str, int], timeout: float) -> socket.socket:
        shares.append(timeout)
        if len(shares) <= dead:
            time.sleep(timeout)
            raise TimeoutError
        return connect(address, timeout)

    with server(answer("HTTP/1.1 200 OK\nContent-Length: 2\n\n", b"{}")) as url:
        (found,) = socket.getaddrinfo("127.0.0.1", urlsplit(url).port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [found] * (dead + 1))
        monkeypatch.setattr(socket, "create_connection", connect_to_the_last)
        assert fetch_key_set(url, timeout_seconds=0.6) == b"{}"
    assert sum(shares) <= 0.6 + 0.01
    assert shares[0] == pytest.approx(0.6 / (dead + 1), abs=0.05)


def test_the_address_that_answers_has_all_the_time_that_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def think(connection: socket.socket) -> None:
        time.sleep(0.3)
        answer("HTTP/1.1 200 OK\nContent-Length: 2\n\n", b"{}")(connection)

    with server(think) as url:
        (found,) = socket.getaddrinfo("127.0.0.1", urlsplit(url).port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [found] * 10)
        assert fetch_key_set(url, timeout_seconds=1.5) == b"{}"


def test_nothing_is_left_running() -> None:
    with server(answer("HTTP/1.1 200 OK\nContent-Length: 2\n\n", b"{}")) as url:
        fetch_key_set(url)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_a_refused_connection_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(KeySetInvalid, match="cannot be reached"):
        fetch_key_set(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999/", "http://a b/", "http://\udc80/", "http://127.0.0.1/\n", "http:///"],
)
def test_an_address_that_is_none_is_a_failure(url: str) -> None:
    with pytest.raises(KeySetInvalid):
        fetch_key_set(url)


def test_a_server_without_tls_is_a_failure_for_https() -> None:
    with server(answer("HTTP/1.1 200 OK\n\n")) as url, pytest.raises(KeySetInvalid):
        fetch_key_set(url.replace("http:", "https:"))
