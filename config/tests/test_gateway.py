"""The reader of whole requests, with an application that tells what it was given."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from config import gateway as module
from config.gateway import REFUSAL, Gateway, Message

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
    """Answers with its environ, as JSON."""
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    told["body"] = environ["wsgi.input"].read().decode()
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Thing", "a")])
    return [json.dumps(told).encode()]


def gateway(app: Any = tell, *, threads: int = 1, body_seconds: float = 5) -> Gateway:
    return Gateway(app, threads=threads, max_body_octets=MAX_BODY_OCTETS, body_seconds=body_seconds)


def ask(
    app: Gateway, *parts: bytes, disconnects: bool = False, stalls: bool = False, **scope: Any
) -> list[Message]:
    """What is sent to a client that sends these parts of a body."""
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


def test_an_application_is_told_what_cgi_tells() -> None:
    environ = told(b"ab", b"c")
    assert environ["REQUEST_METHOD"] == "POST"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/api/tödos/"
    assert environ["QUERY_STRING"] == "q=%C3%B6"
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"]) == ("192.0.2.7", "8000")
    assert environ["HTTP_HOST"] == "todos.example.com"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("text/plain", "3")
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert (environ["wsgi.url_scheme"], environ["body"]) == ("http", "abc")


def test_the_answer_is_sent_as_it_is() -> None:
    start, body = ask(gateway())
    assert start == {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"x-thing", b"a")],
    }
    assert body["type"] == "http.response.body"


def test_a_field_that_comes_twice_is_a_list() -> None:
    headers = [(b"Accept", b"a"), (b"accept", b"b"), (b"cookie", b"x=1"), (b"cookie", b"y=2")]
    environ = told(headers=headers)
    assert (environ["HTTP_ACCEPT"], environ["HTTP_COOKIE"]) == ("a,b", "x=1; y=2")


@pytest.mark.parametrize("name", [b"x_forwarded_for", b"x-forwarded_for", b"content_length"])
def test_a_field_with_an_underscore_passes_for_no_other(name: bytes) -> None:
    headers = [(b"x-forwarded-for", b"192.0.2.1"), (name, b"203.0.113.9")]
    environ = told(headers=headers)
    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "203.0.113.9" not in environ.values()


def test_nothing_is_waited_for_that_cannot_come() -> None:
    """Without a length and a coding of the transfer, a request ends with its header."""
    slow = gateway(body_seconds=3600)
    sent = ask(slow, stalls=True, method="GET", headers=[(b"host", b"x")])
    environ = json.loads(sent[1]["body"])
    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("0", "")


@pytest.mark.parametrize(
    "field", [(b"content-length", b"3"), (b"transfer-encoding", b"gzip, chunked")]
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_whatever_the_method_a_body_is_read(method: str, field: tuple[bytes, bytes]) -> None:
    assert told(b"abc", method=method, headers=[field])["body"] == "abc"


def test_the_length_is_that_of_what_came() -> None:
    assert told(b"abc", headers=[(b"content-length", b"99")])["CONTENT_LENGTH"] == "3"


def test_a_body_of_the_largest_size_is_read() -> None:
    assert told(b"x" * MAX_BODY_OCTETS)["body"] == "x" * MAX_BODY_OCTETS


def test_of_one_that_is_too_large_the_application_gets_the_size_alone() -> None:
    environ = told(b"x" * 60, b"x" * 60, b"x" * 10_000)
    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("120", "")


def test_a_client_that_is_too_slow_takes_no_thread_until_it_is_refused() -> None:
    calls: list[Any] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        calls.append(environ)
        return tell(environ, start_response)

    start, _ = ask(gateway(app, body_seconds=0.05), b"a", stalls=True)
    assert (b"connection", b"close") in start["headers"]
    [environ] = calls
    assert environ[REFUSAL] == 408
    assert environ["wsgi.input"].read() == b""


@pytest.mark.parametrize(
    ("status", "code", "retry_after"), [(408, "request_timeout", None), (503, "overloaded", "1")]
)
def test_a_refusal_is_an_answer_like_any_other(
    alice: Client, caplog: pytest.LogCaptureFixture, status: int, code: str, retry_after: str | None
) -> None:
    response = alice.request(REQUEST_METHOD="POST", PATH_INFO="/api/todos/", **{REFUSAL: status})
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.get("Retry-After") == retry_after
    assert response["Content-Security-Policy"]
    [line] = [each for each in caplog.records if each.name == "api.request_log"]
    assert line.fields["code"] == code  # type: ignore[attr-defined]


def test_a_refusal_comes_before_anything_is_asked(alice: Client, settings: Settings) -> None:
    settings.THROTTLE_USER = settings.THROTTLE_ANON = settings.THROTTLE_REFUSED = (1, 3600)
    settings.ALLOWED_HOSTS = ["todos.example.com"]
    for _ in range(3):
        response = alice.request(
            REQUEST_METHOD="POST", PATH_INFO="/api/todos/", HTTP_HOST="x", **{REFUSAL: 408}
        )
        assert response.status_code == 408


def test_refusals_wait_for_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do they keep what they have read."""
    monkeypatch.setattr(module, "MAX_BUFFERED_OCTETS", 250)
    over = threading.Event()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if REFUSAL not in environ:
            over.wait(10)
        start_response("200 OK", [])
        return []

    served = gateway(app)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def ask_once(body: bytes) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        await served(dict(SCOPE), receive, send)

    async def story() -> None:
        slow = [asyncio.create_task(ask_once(b"x" * 100)) for _ in range(2)]
        await asyncio.sleep(0.05)
        await asyncio.gather(*(ask_once(b"x" * 100) for _ in range(20)))
        assert len(sent) == 40
        assert served._buffered_octets == 200
        probe = asyncio.create_task(ask_once(b""))  # has no body to be refused for
        await asyncio.sleep(0.05)
        assert len(sent) == 40
        over.set()
        await asyncio.gather(*slow, probe)

    asyncio.run(story())


def test_no_header_field_is_taken_for_a_refusal() -> None:
    assert REFUSAL not in told(headers=[(b"gateway.refusal", b"503")])


def test_a_client_that_is_gone_is_not_answered() -> None:
    calls: list[Any] = []
    app = gateway(lambda environ, start_response: calls.append(environ))
    assert not ask(app, b"a", disconnects=True)
    assert not calls


def test_bodies_on_their_way_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BUFFERED_OCTETS", 50)
    app = gateway()
    start, body = ask(app, b"x" * 51)
    assert (b"connection", b"close") in start["headers"]
    assert json.loads(body["body"])["body"] == ""
    # What was given up, and what was answered, counts no longer.
    for _ in range(3):
        assert ask(app, b"x" * 50)[0]["status"] == 200


def test_an_answer_is_closed_whatever_happens() -> None:
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


def test_the_application_is_called_in_so_many_threads_and_no_more() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        start_response("204 No Content", [])
        return []

    served = gateway(app, threads=3)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        pass

    async def many() -> None:
        await asyncio.gather(*(served(dict(SCOPE), receive, send) for _ in range(12)))

    asyncio.run(many())
    assert most == 3
