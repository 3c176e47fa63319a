"""The gateway reads whole requests. Its application here answers with its environ."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.exceptions import APIException

from api.errors.exceptions import BadRequest, Overloaded, RequestTimeout
from api.errors.middleware import REFUSAL
from server import gateway as gateway_module
from server import holdings
from server.gateway import CHUNK_OCTETS, PATIENCE_SECONDS, Gateway, Message

MAX_BODY_OCTETS = 100
SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "raw_path": b"/api/t%C3%B6dos/",
    "query_string": b"q=%C3%B6",
    "headers": [
        (b"host", b"todos.example.com"),
        (b"content-type", b"text/plain"),
        (b"transfer-encoding", b"chunked"),
    ],
    "server": ("127.0.0.1", 8000),
    "client": ("192.0.2.7", 4711),
}


def tell(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the environ as JSON."""
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    told["body"] = environ["wsgi.input"].read().decode()
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Thing", "a")])
    return [json.dumps(told).encode()]


def gateway(app: Any = tell, *, threads: int = 1, body_seconds: float = 5) -> Gateway:
    return Gateway(app, threads=threads, max_body_octets=MAX_BODY_OCTETS, body_seconds=body_seconds)


def ask(
    app: Gateway, *parts: bytes, disconnects: bool = False, stalls: bool = False, **scope: Any
) -> list[Message]:
    """Return the messages to a client that sends these parts of a body."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    if disconnects:
        messages.append({"type": "http.disconnect"})
    elif not stalls:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Message] = []

    async def receive() -> Message:
        if not messages:
            await asyncio.sleep(3600)
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app({**SCOPE, **scope}, receive, send), 10))
    return sent


def told(*parts: bytes, **scope: Any) -> dict[str, str]:
    start, body = ask(gateway(), *parts, **scope)
    assert start["status"] == 200
    answer: dict[str, str] = json.loads(body["body"])
    return answer


def test_the_environ_has_the_variables_of_cgi() -> None:
    environ = told(b"ab", b"c")
    assert environ["REQUEST_METHOD"] == "POST"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/api/tödos/"
    assert environ["QUERY_STRING"] == "q=%C3%B6"
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"]) == ("192.0.2.7", "8000")
    assert environ["HTTP_HOST"] == "todos.example.com"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("text/plain", "3")
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert (environ["wsgi.url_scheme"], environ["body"]) == ("http", "abc")


def test_the_answer_is_sent_unchanged() -> None:
    start, body = ask(gateway())
    assert start == {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"x-thing", b"a")],
    }
    assert body["type"] == "http.response.body"


def test_a_repeated_field_becomes_a_list() -> None:
    headers = [(b"Accept", b"a"), (b"accept", b"b"), (b"cookie", b"x=1"), (b"cookie", b"y=2")]
    environ = told(headers=headers)
    assert (environ["HTTP_ACCEPT"], environ["HTTP_COOKIE"]) == ("a,b", "x=1; y=2")


@pytest.mark.parametrize("name", [b"x_forwarded_for", b"x-forwarded_for", b"content_length"])
def test_fields_with_an_underscore_are_dropped(name: bytes) -> None:
    headers = [(b"x-forwarded-for", b"192.0.2.1"), (name, b"203.0.113.9")]
    environ = told(headers=headers)
    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "203.0.113.9" not in environ.values()


def test_a_request_without_a_body_is_not_read() -> None:
    """Without a length and a coding of the transfer, a request ends with its header."""
    slow = gateway(body_seconds=3600)
    sent = ask(slow, stalls=True, method="GET", headers=[(b"host", b"x")])
    environ = json.loads(sent[1]["body"])
    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("0", "")


@pytest.mark.parametrize(
    "field", [(b"content-length", b"3"), (b"transfer-encoding", b"gzip, chunked")]
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_body_is_read_for_every_method(method: str, field: tuple[bytes, bytes]) -> None:
    assert told(b"abc", method=method, headers=[field])["body"] == "abc"


def test_the_length_is_that_of_the_received_body() -> None:
    assert told(b"abc", headers=[(b"content-length", b"99")])["CONTENT_LENGTH"] == "3"


def test_a_body_of_the_largest_size_is_read() -> None:
    assert told(b"x" * MAX_BODY_OCTETS)["body"] == "x" * MAX_BODY_OCTETS


def test_the_application_gets_only_the_size_of_a_large_body() -> None:
    environ = told(b"x" * 60, b"x" * 60, b"x" * 10_000)
    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("120", "")


def test_the_rest_of_a_large_body_is_read_before_the_answer() -> None:
    rest = [b"x" * 60] * 5
    came: list[Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in rest
    ]
    came.append({"type": "http.request", "body": b"x", "more_body": False})
    left: list[int] = []

    async def receive() -> Message:
        return came.pop(0)

    async def send(message: Message) -> None:
        left.append(len(came))

    asyncio.run(gateway()(dict(SCOPE), receive, send))
    assert left == [0, 0]


def test_a_large_body_that_never_ends_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway_module, "MAX_DROPPED_OCTETS", 500)
    environ = told(*[b"x" * 60] * 1000)
    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("120", "")
    monkeypatch.setattr(gateway_module, "DROP_SECONDS", 0.05)
    environ = told(b"x" * 60, b"x" * 60, stalls=True)
    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("120", "")


@pytest.mark.parametrize(
    ("ending", "refusal"),
    [({"stalls": True}, RequestTimeout), ({"disconnects": True}, BadRequest)],
    ids=["slow", "gone or no chunk"],
)
def test_an_incomplete_body_is_refused_and_the_connection_closed(
    ending: dict[str, bool], refusal: type[APIException]
) -> None:
    calls: list[Any] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        calls.append(environ)
        return tell(environ, start_response)

    start, _ = ask(gateway(app, body_seconds=0.05), b"a", **ending)
    assert (b"connection", b"close") in start["headers"]
    [environ] = calls  # no thread was taken before
    assert isinstance(environ[REFUSAL], refusal)
    assert environ["wsgi.input"].read() == b""


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [(BadRequest(), None), (RequestTimeout(), None), (Overloaded(), "1")],
    ids=["bad_request", "request_timeout", "overloaded"],
)
def test_a_refusal_is_a_problem_document(
    alice: Client, caplog: pytest.LogCaptureFixture, error: APIException, retry_after: str | None
) -> None:
    response = alice.request(REQUEST_METHOD="POST", PATH_INFO="/api/todos/", **{REFUSAL: error})
    assert response.status_code == error.status_code
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == error.default_code
    assert response.get("Retry-After") == retry_after
    assert response["Content-Security-Policy"]
    [line] = [each for each in caplog.records if each.name == "operations.request_log"]
    assert line.fields["code"] == error.default_code  # type: ignore[attr-defined]


def test_a_refusal_comes_before_the_check_of_the_host(alice: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["todos.example.com"]
    response = alice.request(
        REQUEST_METHOD="POST", PATH_INFO="/api/todos/", HTTP_HOST="x", **{REFUSAL: RequestTimeout()}
    )
    assert response.status_code == 408


def test_refusals_count_for_the_address(anonymous: Client, settings: Settings) -> None:
    settings.THROTTLE_ANON = (1, 3600)
    for status in (408, 429):
        response = anonymous.request(
            REQUEST_METHOD="POST", PATH_INFO="/api/todos/", **{REFUSAL: RequestTimeout()}
        )
        assert response.status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_an_unread_chunked_body_is_refused_with_411(alice: Client, method: str) -> None:
    """The wsgiref of Django's development server leaves it unread."""
    response = alice.generic(
        method, "/api/todos/", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH=""
    )
    assert (response.status_code, response.json()["code"]) == (411, "length_required")


def test_no_header_field_passes_for_a_refusal() -> None:
    assert REFUSAL not in told(headers=[(REFUSAL.encode(), b"503")])


def test_an_answer_that_fails_is_closed() -> None:
    closed: list[str] = []

    class Answer:
        def __iter__(self) -> Any:
            raise ValueError("broken")

        def close(self) -> None:
            closed.append("closed")

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", [])
        return Answer()

    with pytest.raises(ValueError, match="broken"):
        ask(gateway(app))
    assert closed == ["closed"]


class Clients:
    """Send requests of several clients to one gateway.

    The application works at ``/api/`` until ``over`` is set.
    """

    def __init__(self, *, threads: int = 1, body: bytes = b"ok") -> None:
        self.over = threading.Event()
        self.begun: list[str] = []
        self.body = body
        self.served = gateway(self.app, threads=threads)

    def app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if REFUSAL in environ:
            start_response(f"{environ[REFUSAL].status_code} Refused", [])
            return []
        self.begun.append(environ.get("HTTP_AUTHORIZATION", environ["REMOTE_ADDR"]))
        if environ["PATH_INFO"] == "/api/":
            self.over.wait(10)
        start_response("200 OK", [])
        return [self.body]

    async def ask(
        self,
        authorization: str = "",
        *,
        path: str = "/api/",
        address: str = "192.0.2.7",
        gone: asyncio.Event | None = None,
        body: bytes = b"",
        takes: int = 1000,
    ) -> list[Message]:
        """Ask as a client that goes when ``gone`` is set, and takes so many messages."""
        sent: list[Message] = []
        to_come: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if to_come:
                return to_come.pop()
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if len(sent) == takes:
                await asyncio.sleep(3600)
            sent.append(message)

        headers = [(b"authorization", authorization.encode())] if authorization else []
        if body:
            headers.append((b"content-length", str(len(body)).encode()))
        scope = {"raw_path": path.encode(), "headers": headers, "client": (address, 4711)}
        await self.served({**SCOPE, **scope}, receive, send)
        return sent

    def order(self, *requests: Coroutine[Any, Any, Any]) -> list[str]:
        """Return the order in which the application begins these requests."""

        async def story() -> None:
            tasks = [asyncio.create_task(each) for each in requests]
            await asyncio.sleep(0.02)
            self.over.set()
            await asyncio.gather(*tasks)

        tell_story(story())
        return self.begun


def tell_story(story: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def test_a_client_with_sixty_requests_does_not_delay_one_with_one() -> None:
    clients = Clients()
    busy = [clients.ask("Bearer busy") for _ in range(60)]
    assert clients.order(*busy, clients.ask("Bearer other"))[:2] == ["Bearer busy", "Bearer other"]


@pytest.mark.parametrize(
    "spellings",
    [
        ["Bearer alice", "bearer alice", "BEARER alice", "bEaReR  alice", " Bearer   alice"],
        [f"Basic {number}" for number in range(9)],
    ],
    ids=["Bearer", "Basic"],
)
def test_another_spelling_of_bearer_is_the_same_asker(spellings: list[str]) -> None:
    """Other schemes are no token: their askers are their addresses."""
    clients = Clients()
    order = clients.order(*map(clients.ask, [*spellings, "Bearer other"]))
    assert order.index("Bearer other") == 1


def test_askers_without_a_token_differ_by_address() -> None:
    clients = Clients()
    busy = [clients.ask(address="192.0.2.1") for _ in range(9)]
    order = clients.order(*busy, clients.ask(address="192.0.2.2"))
    assert order.index("192.0.2.2") == 1


def test_a_request_whose_client_has_gone_is_not_begun() -> None:
    clients = Clients()

    async def story() -> None:
        gone = asyncio.Event()
        begun = [asyncio.create_task(clients.ask(f"Bearer {each}")) for each in ("first", "second")]
        await asyncio.sleep(0.01)
        leaving = [
            asyncio.create_task(clients.ask("Bearer leaving", gone=gone, body=body))
            for body in (b"", b"", b"x")
        ]
        staying = asyncio.create_task(clients.ask("Bearer staying"))
        await asyncio.sleep(2 * PATIENCE_SECONDS)
        gone.set()
        assert await asyncio.gather(*leaving) == [[], [], []]
        clients.over.set()
        await asyncio.gather(*begun, staying)

    tell_story(story())
    assert clients.begun == ["Bearer first", "Bearer second", "Bearer staying"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_and_scrapes_wait_for_no_request(path: str) -> None:
    clients = Clients(threads=2)

    async def story() -> None:
        busy = [asyncio.create_task(clients.ask(f"Bearer {number}")) for number in range(20)]
        await asyncio.sleep(0.02)
        start, _ = await clients.ask("probe", path=path)
        assert start["status"] == 200
        assert len(clients.begun) == 3  # as many requests as threads, and this one
        clients.over.set()
        await asyncio.gather(*busy)

    tell_story(story())


def test_waiting_bodies_lose_their_room_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "MAX_OCTETS_OF_ADDRESS", 250)
    monkeypatch.setattr(holdings, "SMALL_OCTETS", 10)
    clients = Clients()

    async def story() -> None:
        waiting = [asyncio.create_task(clients.ask("Bearer a", body=b"x" * 100)) for _ in range(20)]
        while sum(each.done() for each in waiting) < 18:
            await asyncio.sleep(0.001)
        refused = [each.result() for each in waiting if each.done()]
        assert [start["status"] for start, _ in refused] == [503] * 18
        assert all((b"connection", b"close") in start["headers"] for start, _ in refused)
        clients.over.set()
        await asyncio.gather(*waiting)

    tell_story(story())
    assert clients.begun == ["Bearer a"] * 2


def test_bodies_are_released_after_every_outcome() -> None:
    app = gateway()
    for _ in range(3):
        ask(app, b"x" * 50)
        ask(app, b"x" * 50, disconnects=True)
        ask(gateway(body_seconds=0.01), b"x" * 50, stalls=True)
    assert app._room._octets == 0


def test_a_large_answer_is_sent_in_parts() -> None:
    clients = Clients(body=b"x" * (2 * CHUNK_OCTETS + 1))
    start, *parts = asyncio.run(clients.ask(path="/quick"))
    assert start["status"] == 200
    assert [len(part["body"]) for part in parts] == [CHUNK_OCTETS, CHUNK_OCTETS, 1, 0]
    assert [part.get("more_body", False) for part in parts] == [True, True, True, False]


def test_an_answer_that_its_client_does_not_read_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server closes a connection whose answer is shorter than its Content-Length."""
    monkeypatch.setattr(gateway_module, "ANSWER_SECONDS", 0.05)
    clients = Clients(body=b"x" * (2 * CHUNK_OCTETS))
    sent = asyncio.run(clients.ask(path="/quick", takes=2))
    assert [message.get("more_body") for message in sent] == [None, True]
    assert clients.served._room._octets == 0


def test_an_address_over_its_bound_loses_its_oldest_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clients = Clients(body=b"x" * (2 * CHUNK_OCTETS))
    monkeypatch.setattr(holdings, "MAX_OCTETS_OF_ADDRESS", 3 * len(clients.body))

    def held() -> int:
        return sum(map(len, clients.served._room._holdings_of.values()))

    async def story() -> None:
        stalled: list[asyncio.Task[Any]] = []
        for number in range(10):
            stalled.append(asyncio.create_task(clients.ask(path="/quick", takes=2)))
            lost = max(0, number - 2)
            while held() < min(number + 1, 3) or sum(each.done() for each in stalled) < lost:
                await asyncio.sleep(0.001)
        assert [task.done() for task in stalled] == [True] * 7 + [False] * 3
        assert len(await clients.ask(path="/quick")) == 4
        for task in stalled:
            task.cancel()

    tell_story(story())
