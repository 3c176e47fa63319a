"""One bounded GET of a key set."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from authn.exceptions import KeySetInvalid

TIMEOUT_SECONDS = 3.0
MAX_BYTES = 256 * 1024


def fetch_key_set(url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> bytes:
    """The body of a 200 answer, at most 256 KiB, within ``timeout_seconds`` from start to end.

    Raises ``KeySetInvalid`` otherwise. Redirects are answers other than 200: whoever can
    redirect this request would choose the keys. Looking the host's name up takes as long as
    the system's resolver lets it; time lost there is missing afterwards.
    """
    parts = urlsplit(url)
    deadline = time.monotonic() + timeout_seconds
    try:
        with _connect(parts, deadline) as connection, _shut_at(deadline, connection):
            connection.settimeout(timeout_seconds)
            body = _get(parts, connection)
        if time.monotonic() >= deadline:
            raise TimeoutError  # what was read may have been cut short
    # ValueError: a port or a host name that is none.
    except (OSError, HTTPException, ValueError) as error:
        raise KeySetInvalid(f"the issuer cannot be reached ({type(error).__name__})") from error
    if len(body) > MAX_BYTES:
        raise KeySetInvalid(f"the answer is larger than {MAX_BYTES} bytes")
    return body


def _connect(parts: SplitResult, deadline: float) -> socket.socket:
    """A connection to the first address of the host that answers in its share of the time."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    for left in range(len(addresses), 0, -1):
        *_, address = addresses[-left]
        share = (deadline - time.monotonic()) / left
        if share <= 0:
            break
        with suppress(OSError):
            return socket.create_connection((str(address[0]), port), timeout=share)
    raise ConnectionError("no address of the host answers")


def _get(parts: SplitResult, connection: socket.socket) -> bytes:
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = context.wrap_socket(connection, server_hostname=parts.hostname)
        http: HTTPConnection = HTTPSConnection(parts.netloc)
    else:
        http = HTTPConnection(parts.netloc)
    with closing(http):
        http.sock = connection
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        http.request("GET", path, headers={"Accept": "application/json"})
        response = http.getresponse()
        if response.status != 200:
            raise KeySetInvalid(f"the issuer answered {response.status}")
        return response.read(MAX_BYTES + 1)


@contextmanager
def _shut_at(deadline: float, connection: socket.socket) -> Iterator[None]:
    """Shut ``connection`` at ``deadline``, whatever is being read from it then.

    A socket's own timeout bounds one read, so an issuer that sends a byte a second would
    never run into it. What is shut is a duplicate of the descriptor, because TLS and HTTP
    take the socket itself over: a shut TLS socket would even go on reading in plain text.
    """
    with connection.dup() as duplicate:
        timer = Timer(deadline - time.monotonic(), _shut, [duplicate])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # the descriptor must not be closed, and given away, under its hands


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other side was quicker
        return
