"""Read whole requests in front of a WSGI application.

A request takes a thread when it has arrived completely and its asker has a turn. A client that
sends or reads a byte a second holds a coroutine, and no thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import APIException

from api.errors.exceptions import BadRequest, Overloaded, RequestTimeout
from api.errors.middleware import REFUSAL
from api.throttling.addresses import address_in
from authn.authentication import token_in
from operations.middleware import VIEWS
from server.holdings import Holding, Room
from server.turns import Turns
from server.wsgi_calls import Headers, call, environ_of, set_body

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ANSWER_SECONDS = 60  # for a client to take an answer
# The system buffers as much for every connection.
CHUNK_OCTETS = 64 * 1024
PATIENCE_SECONDS = 0.05  # an idle server has answered by then
# Bounds for reading and dropping the rest of a body that is too large.
MAX_DROPPED_OCTETS = 1024 * 1024
DROP_SECONDS = 2.0
# Without one of them, a request has no body (RFC 9112 section 6.3).
BODY_FIELDS = frozenset({b"content-length", b"transfer-encoding"})


class Disconnected(Exception):
    """The client has closed the connection or sent invalid HTTP."""


class Gateway:
    """Serve a WSGI application (PEP 3333) as ASGI, in ``threads`` of its own."""

    def __init__(
        self, wsgi: WSGIApplication, *, threads: int, max_body_octets: int, body_seconds: float
    ) -> None:
        self._wsgi = wsgi
        self._turns = Turns(threads, name="request")
        # One thread for each path: no probe waits for a request or for another probe.
        self._turns_at = {path: Turns(1, name=path) for path in VIEWS}
        self._refusing = Turns(1, name="refusal")
        self._room = Room()
        self._max_body_octets = max_body_octets
        self._body_seconds = body_seconds

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        environ = environ_of(scope)
        with Holding(self._room, address_in(environ)) as holding:
            turns = self._turns_at.get(environ["PATH_INFO"], self._turns)
            asker = token_in(environ) or holding.address
            try:
                if not BODY_FIELDS.isdisjoint(name for name, _ in scope["headers"]):
                    await self._add_body(environ, receive, holding)
                if (turn := turns.take(asker)) is not None:
                    await _wait(turn, receive, holding)
            except Disconnected:
                return
            except APIException as error:
                await self._refuse(environ, error, holding, send)
                return
            answer = await turns.run(asker, partial(call, self._wsgi, environ))
            holding.release()
            await _send(send, holding, *answer)

    async def _add_body(self, environ: dict[str, Any], receive: Receive, holding: Holding) -> None:
        """Read the body. Raises the error of DRF to refuse an incomplete request with."""
        try:
            async with holding.bounded(self._body_seconds):
                body = await self._read(receive, holding)
        except TimeoutError:
            raise RequestTimeout from None
        except Disconnected:
            raise BadRequest from None
        set_body(environ, body, max_octets=self._max_body_octets)

    async def _read(self, receive: Receive, holding: Holding) -> bytes:
        """Return the body, or a part that is already too large."""
        parts: list[bytes] = []
        more = True
        while more and holding.octets <= self._max_body_octets:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            parts.append(message.get("body", b""))
            holding.add(len(parts[-1]))
            more = message.get("more_body", False)
        if more:
            await _drop(receive)
        return b"".join(parts)

    async def _refuse(
        self, environ: dict[str, Any], error: APIException, holding: Holding, send: Send
    ) -> None:
        holding.release()
        set_body(environ, b"")
        environ[REFUSAL] = error
        if (turn := self._refusing.take(holding.address)) is not None:
            await turn
        refuse = partial(call, self._wsgi, environ)
        code, headers, body = await self._refusing.run(holding.address, refuse)
        # The rest of the body would pass for the next request on this connection.
        await _send(send, holding, code, [*headers, ("connection", "close")], body)


async def _drop(receive: Receive) -> None:
    """Read and drop the rest of a body that is too large, within bounds.

    A proxy that cannot send its body answers 502 and does not read the refusal.
    """
    octets, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(DROP_SECONDS):
            while more and octets < MAX_DROPPED_OCTETS:
                message = await receive()
                octets += len(message.get("body", b""))
                more = message.get("more_body", False)


async def _wait(turn: asyncio.Future[None], receive: Receive, holding: Holding) -> None:
    """Wait for a turn. Raise ``Disconnected`` if the client closes the connection first."""
    loop = asyncio.get_running_loop()
    watches: list[asyncio.Task[None]] = []
    # Watching the client costs more than a short wait.
    timer = loop.call_later(
        PATIENCE_SECONDS, lambda: watches.append(loop.create_task(_watch(receive, turn)))
    )
    holding.give_up = turn.cancel
    try:
        await turn
    except asyncio.CancelledError:
        raise Overloaded if holding.is_lost else Disconnected from None
    finally:
        holding.give_up = None
        timer.cancel()
        for watch in watches:
            watch.cancel()


async def _watch(receive: Receive, turn: asyncio.Future[None]) -> None:
    """Give up a turn when the client closes the connection.

    For a request without a body, the first message is the end of the empty body.
    """
    for _ in range(2):
        if (await receive())["type"] == "http.disconnect":
            turn.cancel()
            return


async def _send(send: Send, holding: Holding, status: int, headers: Headers, body: bytes) -> None:
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    if len(body) <= CHUNK_OCTETS:
        await send({"type": "http.response.body", "body": body})
        return
    holding.add(len(body))
    try:
        async with holding.bounded(ANSWER_SECONDS):
            for start in range(0, len(body), CHUNK_OCTETS):
                chunk = body[start : start + CHUNK_OCTETS]
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
    except (TimeoutError, Overloaded):
        return  # granian closes the connection: the answer is shorter than its Content-Length
