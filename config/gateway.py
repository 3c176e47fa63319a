"""A reader of whole requests in front of a WSGI application.

A thread is taken for a request when all of it is here. However many clients send a byte a
second, they hold a coroutine each, and no thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.middleware import Handler
from api.problems import problem_response
from config.threads import Threads
from config.wsgi_calls import Headers, call, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BUFFERED_OCTETS = 64 * 1024 * 1024  # of all bodies that are on their way
# Without one of them, a request has no body (RFC 9112 section 6.3).
BODY_FIELDS = frozenset({b"content-length", b"transfer-encoding"})
# In the environ of a request that is not whole: the status that it is to be refused with.
REFUSAL = "gateway.refusal"


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
        self._threads = Threads(threads, name="request")
        # Of its own, so that a refusal waits for no request.
        self._refusing = Threads(1, name="refusal")
        self._max_body_octets = max_body_octets
        self._body_seconds = body_seconds
        self._buffered_octets = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []
        try:
            if _has_body(scope) and (status := await self._why_not_whole(receive, parts)):
                await self._refuse(scope, parts, status, send)
            else:
                await self._answer(scope, b"".join(parts), send)
        except Disconnected:
            pass
        finally:
            self._release(parts)

    async def _why_not_whole(self, receive: Receive, parts: list[bytes]) -> HTTPStatus | None:
        """Read the body into ``parts``; what to refuse the request with, if that did not work."""
        try:
            async with asyncio.timeout(self._body_seconds):
                await self._read(receive, parts)
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT
        except Busy:
            return HTTPStatus.SERVICE_UNAVAILABLE
        return None

    async def _answer(self, scope: Message, body: bytes, send: Send) -> None:
        environ = environ_of(scope, body, max_body_octets=self._max_body_octets)
        await _send(send, *await self._threads.run(partial(call, self._wsgi, environ)))

    async def _refuse(
        self, scope: Message, parts: list[bytes], status: HTTPStatus, send: Send
    ) -> None:
        self._release(parts)  # others are waiting for the room
        environ = environ_of(scope, b"", max_body_octets=self._max_body_octets)
        environ[REFUSAL] = status
        code, headers, body = await self._refusing.run(partial(call, self._wsgi, environ))
        # What is left of a body that nobody reads would pass for the next request.
        await _send(send, code, [*headers, ("connection", "close")], body)

    def _release(self, parts: list[bytes]) -> None:
        self._buffered_octets -= sum(map(len, parts))
        parts.clear()

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
            if parts[-1] and self._buffered_octets > MAX_BUFFERED_OCTETS:
                raise Busy
            more = message.get("more_body", False)


def refusals(get_response: Handler) -> Handler:
    """Answer a request that the gateway did not wait for, before anything looks at it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        status: HTTPStatus | None = request.META.get(REFUSAL)
        if status is None:
            return get_response(request)
        response = problem_response(request, status)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            response["Retry-After"] = "1"
        return response

    return middleware


def _has_body(scope: Message) -> bool:
    return any(name in BODY_FIELDS for name, _ in scope["headers"])


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
