"""Fetches from real servers on loopback that behave badly."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authn.exceptions import KeySetInvalid, KeysUnavailable
from authn.fetching import MAX_BYTES, USER_AGENT, fetch_key_set
from authn.keys import KeySet
from authn.testing import Clock
from authn.version import VERSION

Handler = Callable[[socket.socket], None]
ELSEWHERE = "issuer.example"  # a host that is not loopback
OK = "HTTP/1.1 200 OK\nContent-Length: 2\n\n"
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def _no_proxy_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def server(handle: Handler, *, reads_first: bool = True) -> Iterator[str]:
    """Yield the URL of a server that passes one connection to ``handle``."""
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
                except OSError:  # the client hung up
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
            time.sleep(0.02)

    return handle


def test_the_request_has_path_query_and_no_token() -> None:
    requests: list[bytes] = []

    def record(connection: socket.socket) -> None:
        requests.append(connection.recv(65536))
        answer(OK, b"{}")(connection)

    with server(record, reads_first=False) as url:
        fetch_key_set(url.replace("/api/auth/jwks", "/a/b?c=d#e"))
    (request,) = requests
    assert request.startswith(b"GET /a/b?c=d HTTP/1.1\r\n")
    assert b"authorization" not in request.lower()
    assert b"accept: application/json" in request.lower()
    assert f"\r\nUser-Agent: drf-better-auth/{VERSION}\r\n".encode() in request
    assert request.lower().count(b"user-agent") == 1


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
def test_an_answer_other_than_a_whole_200_is_a_failure(head: str, message: str) -> None:
    with server(answer(head)) as url, pytest.raises(KeySetInvalid, match=message):
        fetch_key_set(url)


def test_more_than_256_kib_are_refused_unread() -> None:
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
    "never answers": lambda connection: connection.recv(1) and None,
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
            fetch_key_set(url, timeout_seconds=0.15)
        assert time.monotonic() - started < 1.5


@pytest.fixture
def tls_requests() -> list[bytes]:
    return []


@pytest.fixture
def over_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls_requests: list[bytes]
) -> Callable[[Handler], Handler]:
    """Make a handler speak TLS with a certificate that the test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), serial_number=1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName(ELSEWHERE)]),
            critical=False,
        )
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
                tls_requests.append(tls.recv(65536))
                handle(tls)

        return serve

    return wrap


@contextmanager
def tls_server(handle: Handler) -> Iterator[str]:
    with server(handle, reads_first=False) as url:
        yield url.replace("http://127.0.0.1", "https://localhost")


def test_a_key_set_is_fetched_over_tls(over_tls: Callable[[Handler], Handler]) -> None:
    with tls_server(over_tls(answer(OK, b"{}"))) as url:
        assert fetch_key_set(url) == b"{}"


def test_an_untrusted_certificate_is_a_failure(
    over_tls: Callable[[Handler], Handler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        ssl, "create_default_context", lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    handle = over_tls(answer(OK, b"{}"))
    monkeypatch.undo()
    with tls_server(handle) as url, pytest.raises(KeySetInvalid, match="SSLCertVerification"):
        fetch_key_set(url)


@pytest.mark.parametrize("kind", ["drips headers", "drips the body", "drips HTTP/1.0"])
def test_an_exchange_over_tls_has_one_time_limit(
    over_tls: Callable[[Handler], Handler], kind: str
) -> None:
    with tls_server(over_tls(SLOW[kind])) as url:
        started = time.monotonic()
        with pytest.raises(KeySetInvalid, match="cannot be reached"):
            fetch_key_set(url, timeout_seconds=0.3)
        assert time.monotonic() - started < 1.5


def test_plain_text_after_the_time_limit_is_not_read_from_tls(
    over_tls: Callable[[Handler], Handler],
) -> None:
    """``SSLSocket.shutdown()`` alone would let it go on reading in plain text."""

    def inject(tls: socket.socket) -> None:
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
        time.sleep(0.4)
        with suppress(OSError):
            socket.socket.sendall(tls, b'{"keys":"x"}')

    with tls_server(over_tls(inject)) as url, pytest.raises(KeySetInvalid):
        fetch_key_set(url, timeout_seconds=0.3)


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the time limit."""
    clock = Clock(0)
    monkeypatch.setattr("authn.fetching.time", SimpleNamespace(monotonic=clock))
    return clock


def test_a_slow_name_lookup_counts_towards_the_time_limit(
    monkeypatch: pytest.MonkeyPatch, monotonic: Clock
) -> None:
    look_up = socket.getaddrinfo

    def look_up_slowly(*args: Any, **options: Any) -> Any:
        monotonic.advance(3)
        return look_up(*args, **options)

    with server(answer(OK, b"{}")) as url:
        monkeypatch.setattr(socket, "getaddrinfo", look_up_slowly)
        with pytest.raises(KeySetInvalid, match="cannot be reached"):
            fetch_key_set(url, timeout_seconds=3)
        monkeypatch.undo()
        assert fetch_key_set(url) == b"{}"


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_addresses_of_one_host_share_the_time_limit(
    monkeypatch: pytest.MonkeyPatch, monotonic: Clock, dead: int
) -> None:
    connect, shares = socket.create_connection, list[float]()

    def connect_to_the_last(address: tuple[str, int], timeout: float) -> socket.socket:
        shares.append(timeout)
        if len(shares) <= dead:
            monotonic.advance(timeout)
            raise TimeoutError
        return connect(address, timeout)

    with server(answer(OK, b"{}")) as url:
        (found,) = socket.getaddrinfo("127.0.0.1", urlsplit(url).port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [found] * (dead + 1))
        monkeypatch.setattr(socket, "create_connection", connect_to_the_last)
        assert fetch_key_set(url, timeout_seconds=3) == b"{}"
    assert shares == pytest.approx([3 / (dead + 1)] * (dead + 1))


def test_the_address_that_answers_has_all_the_remaining_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def think(connection: socket.socket) -> None:
        time.sleep(0.2)
        answer(OK, b"{}")(connection)

    with server(think) as url:
        (found,) = socket.getaddrinfo("127.0.0.1", urlsplit(url).port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [found] * 10)
        assert fetch_key_set(url, timeout_seconds=1.5) == b"{}"


def test_a_fetch_leaves_no_timer_running() -> None:
    with server(answer(OK, b"{}")) as url:
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
def test_an_invalid_url_is_a_failure(url: str) -> None:
    with pytest.raises(KeySetInvalid):
        fetch_key_set(url)


def test_a_server_without_tls_is_a_failure_for_https() -> None:
    with server(answer("HTTP/1.1 200 OK\n\n")) as url, pytest.raises(KeySetInvalid):
        fetch_key_set(url.replace("http:", "https:"))


class Proxy:
    """A proxy that finds every host at ``port`` of loopback. ``heads`` has its requests."""

    def __init__(self, port: int = 0, *, answer: bytes = b"HTTP/1.1 200 Yes\r\n\r\n") -> None:
        self.heads: list[str] = []
        self._port = port
        self._answer = answer

    def __call__(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        self.heads.append(head.decode())
        if not self._port:
            connection.sendall(self._answer)
            while self._answer and connection.recv(65536):  # until the client hangs up
                pass
            return
        with socket.create_connection(("127.0.0.1", self._port)) as issuer:
            if head.startswith(b"CONNECT"):
                connection.sendall(self._answer)
            else:
                issuer.sendall(head)
            back = threading.Thread(target=pump, args=[issuer, connection])
            back.start()
            if head.startswith(b"CONNECT"):
                pump(connection, issuer)
            back.join()

    @property
    def lines(self) -> list[str]:
        (head,) = self.heads
        return head.strip().split("\r\n")


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def proxy_server(proxy: Handler) -> Iterator[str]:
    """Yield the ``host:port`` of a proxy."""
    with server(proxy, reads_first=False) as url:
        yield urlsplit(url).netloc


def elsewhere(url: str, scheme: str) -> str:
    """Replace the host of ``url`` by one that only the proxy can find."""
    parts = urlsplit(url)
    return f"{scheme}://{ELSEWHERE}:{parts.port}{parts.path}"


class TestProxy:
    @pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
    @pytest.mark.parametrize("form", ["http://{}", "http://{}/", "{}"])
    def test_a_proxy_connects_to_an_issuer_on_https(
        self,
        over_tls: Callable[[Handler], Handler],
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        form: str,
    ) -> None:
        with tls_server(over_tls(answer(OK, b"{}"))) as issuer:
            url = elsewhere(issuer, "https")
            authority = urlsplit(url).netloc
            proxy = Proxy(urlsplit(url).port or 0)
            with proxy_server(proxy) as address:
                monkeypatch.setenv(name, form.format(address))
                assert fetch_key_set(url) == b"{}"
        assert proxy.lines[0].startswith(f"CONNECT {authority} HTTP/1.")
        assert f"Host: {authority}" in proxy.lines
        assert f"User-Agent: {USER_AGENT}" in proxy.lines
        assert "authorization" not in proxy.heads[0].lower()

    def test_only_the_proxy_gets_the_credentials(
        self,
        over_tls: Callable[[Handler], Handler],
        tls_requests: list[bytes],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with server(answer(OK, b"{}")) as issuer:
            proxy = Proxy(urlsplit(issuer).port or 0)
            with proxy_server(proxy) as address:
                monkeypatch.setenv("HTTP_PROXY", f"http://us%40er:p%3Ass@{address}")
                assert fetch_key_set(elsewhere(issuer, "http")) == b"{}"
        expected = b64encode(b"us@er:p:ss").decode()
        assert f"Proxy-Authorization: Basic {expected}" in proxy.lines

        with tls_server(over_tls(answer(OK, b"{}"))) as issuer:
            proxy = Proxy(urlsplit(issuer).port or 0)
            with proxy_server(proxy) as address:
                monkeypatch.setenv("HTTPS_PROXY", f"http://us%40er:p%3Ass@{address}")
                assert fetch_key_set(elsewhere(issuer, "https")) == b"{}"
        assert f"Proxy-Authorization: Basic {expected}" in proxy.lines
        (request,) = tls_requests
        assert b"authorization" not in request.lower()

    def test_a_proxy_gets_the_whole_url_of_an_issuer_on_http(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with server(answer(OK, b"{}")) as issuer:
            url = f"{elsewhere(issuer, 'http')}?a=b"
            proxy = Proxy(urlsplit(url).port or 0)
            with proxy_server(proxy) as address:
                monkeypatch.setenv("http_proxy", address)
                assert fetch_key_set(url) == b"{}"
        assert proxy.lines[0] == f"GET {url} HTTP/1.1"
        assert f"Host: {urlsplit(url).netloc}" in proxy.lines

    def test_a_proxy_cannot_answer_for_an_issuer_on_https(
        self, over_tls: Callable[[Handler], Handler], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy has no certificate of the issuer, so it cannot answer in its place."""

        def lie(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 Yes\r\n\r\n")
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.recv(65536)

        with proxy_server(lie) as address:
            monkeypatch.setenv("HTTPS_PROXY", address)
            with pytest.raises(KeySetInvalid, match="SSLError"):
                fetch_key_set(f"https://{ELSEWHERE}/")

    def test_a_certificate_of_another_host_is_refused(
        self, over_tls: Callable[[Handler], Handler], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with tls_server(over_tls(answer(OK, b"{}"))) as issuer:
            proxy = Proxy(urlsplit(issuer).port or 0)
            with proxy_server(proxy) as address:
                monkeypatch.setenv("HTTPS_PROXY", address)
                with pytest.raises(KeySetInvalid, match="SSLCertVerification"):
                    fetch_key_set("https://other.example/")

    @pytest.mark.parametrize("spelled", ["NO_PROXY", "no_proxy"])
    @pytest.mark.parametrize(
        "hosts", [ELSEWHERE, "example", ".example", "a.test, ISSUER.example", "*"]
    )
    def test_no_proxy_bypasses_the_proxy(
        self, monkeypatch: pytest.MonkeyPatch, spelled: str, hosts: str
    ) -> None:
        look_up = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more)
        )
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        with server(answer(OK, b"{}")) as issuer:
            with pytest.raises(KeySetInvalid):
                fetch_key_set(elsewhere(issuer, "http"))
            monkeypatch.setenv(spelled, hosts)
            assert fetch_key_set(elsewhere(issuer, "http")) == b"{}"

    @pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
    def test_loopback_bypasses_the_proxy(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        with server(answer(OK, b"{}")) as url:
            assert fetch_key_set(url.replace("127.0.0.1", "localhost")) == b"{}"
        with server(answer(OK, b"{}")) as url:
            assert fetch_key_set(url) == b"{}"

    def test_a_proxy_header_of_a_client_is_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """CGI passes a client's `Proxy` header on as HTTP_PROXY (httpoxy)."""
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: asked.append(host))
        asked: list[str] = []
        monkeypatch.setenv("HTTP_PROXY", "http://evil.example")
        for method in ("", "GET"):
            if method:
                monkeypatch.setenv("REQUEST_METHOD", method)
            with suppress(TypeError):
                fetch_key_set(f"http://{ELSEWHERE}/")
        assert asked == ["evil.example", ELSEWHERE]

    @pytest.mark.parametrize(
        ("reply", "message"),
        [
            (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answered 407"),
            (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "answered 302"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "cannot be reached"),
            (b"", "cannot be reached"),
        ],
        ids=["407", "redirect", "ssh", "hang-up"],
    )
    def test_a_proxy_that_refuses_is_a_failure(
        self, monkeypatch: pytest.MonkeyPatch, reply: bytes, message: str
    ) -> None:
        with proxy_server(Proxy(answer=reply)) as address:
            monkeypatch.setenv("HTTPS_PROXY", address)
            with pytest.raises(KeySetInvalid, match=message):
                fetch_key_set(f"https://{ELSEWHERE}/")

    @pytest.mark.parametrize("kind", ["never answers", "drips the status line", "drips headers"])
    def test_an_exchange_through_a_proxy_has_one_time_limit(
        self, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        with proxy_server(SLOW[kind]) as address:
            monkeypatch.setenv("HTTPS_PROXY", address)
            started = time.monotonic()
            with pytest.raises(KeySetInvalid, match="cannot be reached through the proxy"):
                fetch_key_set(f"https://{ELSEWHERE}/", timeout_seconds=0.15)
            assert time.monotonic() - started < 1.5

    @pytest.mark.parametrize(
        "value",
        [
            "socks5://127.0.0.1:1",
            "https://127.0.0.1:1",
            "http://",
            "//proxy.example",
            "http://:3128",
            "http://127.0.0.1:port",
            "http://127.0.0.1:99999",
            "http://[::1",
            "http://a b:1",
            "http://\udc80:1",
            "http://" + "x" * 300 + ":1",
        ],
        ids=lambda value: ascii(value[:40]),
    )
    def test_an_unusable_proxy_makes_keys_unavailable_and_shows_no_password(
        self, monkeypatch: pytest.MonkeyPatch, value: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = value.replace("http://", "http://operator:open-sesame@")
        monkeypatch.setenv("HTTPS_PROXY", secret)
        keys = KeySet(partial(fetch_key_set, f"https://{ELSEWHERE}/"))
        with pytest.raises(KeysUnavailable):
            keys.key_for(kid="any", algorithm="EdDSA")
        assert "The key set was not refreshed: " in caplog.text
        assert "open-sesame" not in caplog.text
