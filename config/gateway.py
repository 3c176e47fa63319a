"""A reader of whole requests in front of a WSGI application.

A thread is taken for a request when all of it is here. However many clients send a byte a
second, they hold a coroutine each, and no thread.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[str, str]]

MAX_BUFFERED_OCTETS = 64 * 1024 * 1024  # of all bodies that are on their way
CLOSE = [("connection", "close")]
# The names under which CGI has two header fields.
PLAIN = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Disconnected(Exception):
    """The client is gone before its request was whole."""


class Busy(Exception):
    """There are too many large requests at once."""


class Gateway:
    """An ASGI application of a WSGI application (PEP 3333) that has ``threads`` of its own."""

    def __init__(
        self, wsgi: WSGIApplication, *, threads: int, max_body_octets: int, body_seconds: float
    ) -> None:
        self._wsgi = wsgi
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._max_body_octets = max_body_octets
        self._body_seconds = body_seconds
        self._buffered_octets = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []
        try:
            await self._serve(scope, parts, receive, send)
        finally:
            self._buffered_octets -= sum(map(len, parts))

    async def _serve(
        self, scope: Message, parts: list[bytes], receive: Receive, send: Send
    ) -> None:
        try:
            async with asyncio.timeout(self._body_seconds):
                await self._read(receive, parts)
        except TimeoutError:
            return await _send(send, HTTPStatus.REQUEST_TIMEOUT, CLOSE, b"")
        except Busy:
            headers = [*CLOSE, ("retry-after", "1")]
            return await _send(send, HTTPStatus.SERVICE_UNAVAILABLE, headers, b"")
        except Disconnected:
            return None
        environ = environ_of(scope, b"".join(parts), max_body_octets=self._max_body_octets)
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, call, self._wsgi, environ)
        return await _send(send, *answer)

    async def _read(self, receive: Receive, parts: list[bytes]) -> None:
        """Fill ``parts`` with the body, or with as much of it as tells that it is too large."""
        size, more = 0, True
        while more and size <= self._max_body_octets:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            self._buffered_octets += len(parts[-1])
            if self._buffered_octets > MAX_BUFFERED_OCTETS:
                raise Busy
            more = message.get("more_body", False)


def environ_of(scope: Message, body: bytes, *, max_body_octets: int) -> dict[str, Any]:
    """The environ of a request. One whose body is too large has only its length, so that the
    application refuses it when it wants to read it, and not before it knows who is asking."""
    path, (host, port) = scope["raw_path"].partition(b"?")[0], scope["server"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **_header_fields(scope["headers"]),
    }
    is_too_large = len(body) > max_body_octets
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(b"" if is_too_large else body)
    return environ


def _header_fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """A field that comes twice is one, as a list (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for name, value in headers:
        if b"_" in name:
            continue  # would pass for another field, such as one that only a proxy may set
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in PLAIN else f"HTTP_{key}"
        text = value.decode("latin-1")
        separator = "; " if key == "HTTP_COOKIE" else ","
        fields[key] = f"{fields[key]}{separator}{text}" if key in fields else text
    return fields


def call(wsgi: WSGIApplication, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
    """Status, header fields and body of the answer."""
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Any:
        started[:] = [(status, headers)]

    chunks = wsgi(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    [(status, headers)] = started
    return int(status[:3]), headers, body


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
