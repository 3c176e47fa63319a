"""Fetch a key set within a limit of time and size."""

from __future__ import annotations

import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from authn.exceptions import KeySetInvalid
from authn.origins import DEFAULT_PORTS, is_loopback
from authn.version import VERSION

TIMEOUT_SECONDS = 3.0
MAX_BYTES = 256 * 1024
USER_AGENT = f"drf-better-auth/{VERSION}"  # a CDN may require one


def fetch_key_set(url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> bytes:
    """Return the body of a 200 answer of at most 256 KiB. Raises ``KeySetInvalid`` otherwise.

    ``timeout_seconds`` bounds the whole exchange, except for the name lookup, which the resolver
    bounds. Redirects are refused, because their target could choose the keys. ``HTTPS_PROXY``,
    ``HTTP_PROXY`` and ``NO_PROXY`` of the environment are honoured.
    """
    parts = urlsplit(url)
    deadline = time.monotonic() + timeout_seconds
    proxy = None
    try:
        proxy = proxy_for(parts)
        with _connect(proxy or parts, deadline) as connection, _shut_at(deadline, connection):
            connection.settimeout(timeout_seconds)
            if proxy and parts.scheme == "https":
                _tunnel(parts, proxy, connection)
                _require_time(deadline)
            body = _get(parts, proxy, connection)
            _require_time(deadline)
    # http.client raises ValueError for an invalid port or host name.
    except (OSError, HTTPException, ValueError) as error:
        way = "through the proxy " if proxy else ""
        raise KeySetInvalid(
            f"the issuer cannot be reached {way}({type(error).__name__})"
        ) from error
    if len(body) > MAX_BYTES:
        raise KeySetInvalid(f"the answer is larger than {MAX_BYTES} bytes")
    return body


def proxy_for(parts: SplitResult) -> SplitResult | None:
    """Return the proxy for ``parts``; none for loopback, which no proxy can reach.

    Raises ``KeySetInvalid`` if the environment variable is not the URL of a proxy.
    """
    url = getproxies_environment().get(parts.scheme)
    if not url or is_loopback(parts) or proxy_bypass(parts.netloc):
        return None
    proxy = urlsplit(url if "://" in url else f"http://{url}")
    if proxy.scheme != "http" or not proxy.hostname:
        name = f"{parts.scheme}_proxy".upper()
        raise KeySetInvalid(f"{name} is not the http:// URL of a proxy")
    return proxy


def _connect(parts: SplitResult, deadline: float) -> socket.socket:
    """Connect to the first address that answers. The addresses share the time that is left."""
    port = _port(parts)
    addresses = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    for left in range(len(addresses), 0, -1):
        *_, address = addresses[-left]
        share = (deadline - time.monotonic()) / left
        if share <= 0:
            break
        with suppress(OSError):
            return socket.create_connection((str(address[0]), port), timeout=share)
    raise ConnectionError("no address of the host answers")


def _get(parts: SplitResult, proxy: SplitResult | None, connection: socket.socket) -> bytes:
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = context.wrap_socket(connection, server_hostname=parts.hostname)
        http: HTTPConnection = HTTPSConnection(parts.netloc)
    else:
        http = HTTPConnection(parts.netloc)
        if proxy:
            target = f"http://{parts.netloc}{target}"  # RFC 9112 section 3.2.2
            headers |= _credentials(proxy)
    with closing(http):
        http.sock = connection
        http.request("GET", target, headers=headers)
        response = http.getresponse()
        if response.status != 200:
            raise KeySetInvalid(f"the issuer answered {response.status}")
        return response.read(MAX_BYTES + 1)


def _tunnel(parts: SplitResult, proxy: SplitResult, connection: socket.socket) -> None:
    """Ask the proxy to connect to the issuer (RFC 9110 section 9.3.6).

    ``http.client`` closes a socket after an answer without a length, so it gets a duplicate.
    """
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    authority = f"{host}:{_port(parts)}"
    headers = {"Host": authority, "User-Agent": USER_AGENT, **_credentials(proxy)}
    with connection.dup() as duplicate, closing(HTTPConnection(parts.netloc)) as http:
        http.sock = duplicate
        http.request("CONNECT", authority, headers=headers)
        with closing(http.getresponse()) as response:
            if response.status // 100 != 2:
                raise KeySetInvalid(f"the proxy answered {response.status}")


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    encoded = b64encode(pair.encode(errors="surrogateescape")).decode()
    return {"Proxy-Authorization": f"Basic {encoded}"}


def _require_time(deadline: float) -> None:
    """Raise ``TimeoutError`` after ``deadline``: the answer may have been cut short."""
    if time.monotonic() >= deadline:
        raise TimeoutError


def _port(parts: SplitResult) -> int:
    return parts.port or DEFAULT_PORTS[parts.scheme]


@contextmanager
def _shut_at(deadline: float, connection: socket.socket) -> Iterator[None]:
    """Shut ``connection`` down at ``deadline``, which also ends a read that waits for data.

    A socket's own timeout bounds one read, so an issuer that sends a byte a second never meets
    it. ``ssl`` and ``http.client`` take the socket over, so a duplicate is shut down. An
    ``SSLSocket`` that is shut down would go on reading in plain text.
    """
    with connection.dup() as duplicate:
        timer = Timer(deadline - time.monotonic(), _shut, [duplicate])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # _shut() must not meet a descriptor that has been reused


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the peer has hung up
        connection.shutdown(socket.SHUT_RDWR)
