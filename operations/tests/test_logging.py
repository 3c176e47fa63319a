from __future__ import annotations

import json
import logging
import re
import sys
from textwrap import dedent

import pytest
from django.test import RequestFactory

from operations.logging import ConsoleFormatter, JsonFormatter
from tests.support.settings import run

HOSTILE = [
    "alice\n2026-11-21 17:00:00,000 INFO api: x",
    "alice status=200 code=-",
    'alice" status="200',
    "alice\r\x1b[2J",
    "\u202ealice\u2066",
    "al\u200bice",
    "alice\u2028\u2029\x85",
    "-",
    "",
]


def formatted(
    message: str,
    *arguments: object,
    exc_info: object = None,
    console: bool = False,
    **extra: object,
) -> str:
    record = logging.LogRecord("a.b", logging.INFO, "", 0, message, arguments, None)
    record.exc_info = exc_info  # type: ignore[assignment]
    record.__dict__.update(extra)
    if not console:
        return JsonFormatter().format(record)
    line = ConsoleFormatter().format(record)
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ", line)
    return line[len("2026-11-28 12:00:00,000 ") :]


def test_json_is_one_object_on_one_line() -> None:
    line = formatted("Token refused: %s", 'a\n"b"\u2028')
    assert len(line.splitlines()) == 1
    entry = json.loads(line)
    assert entry.pop("time").endswith("+00:00")
    assert entry == {"level": "INFO", "logger": "a.b", "message": 'Token refused: a\n"b"\u2028'}


def test_json_has_the_traceback() -> None:
    try:
        raise LookupError("gone")
    except LookupError:
        line = formatted("Failed", exc_info=sys.exc_info())
    assert len(line.splitlines()) == 1
    assert "LookupError: gone" in json.loads(line)["exception"]


def test_json_has_the_fields_as_members() -> None:
    fields = {"status": 200, "duration_ms": 1.5, "user_id": "\u202ealice", "code": None}
    line = formatted("Answered", fields=fields)
    assert line.isascii()
    entry = json.loads(line)
    assert entry.pop("time")
    assert entry == {"level": "INFO", "logger": "a.b", "message": "Answered", **fields}


def test_the_console_shows_fields_behind_the_message() -> None:
    fields = {"route": "/api/todos/{id}/", "status": 200, "duration_ms": 1.5, "code": None}
    assert formatted("Answered", fields=fields, console=True) == (
        "INFO a.b: Answered route=/api/todos/{id}/ status=200 duration_ms=1.5 code=-"
    )


@pytest.mark.parametrize("text", ["alice", "alice@example.com", "auth0|5f7c", "a-b_c:1"])
def test_the_console_shows_an_ordinary_value_unquoted(text: str) -> None:
    line = formatted("Answered", fields={"user_id": text}, console=True)
    assert line == f"INFO a.b: Answered user_id={text}"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_cannot_forge_a_line_or_a_field(text: str) -> None:
    line = formatted("Answered", fields={"user_id": text, "status": 401}, console=True)
    assert line == f"INFO a.b: Answered user_id={json.dumps(text)} status=401"
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_message_cannot_forge_a_line(text: str) -> None:
    line = formatted("Käse: %s", text, console=True)
    assert line.startswith("INFO a.b: Käse: ")
    assert line.isprintable()
    assert len(line.splitlines()) == 1


def test_the_console_shows_each_line_of_a_traceback() -> None:
    try:
        raise LookupError("gone")
    except LookupError:
        line = formatted("Failed", exc_info=sys.exc_info(), fields={"status": 500}, console=True)
    first, *others = line.splitlines()
    assert first == "INFO a.b: Failed status=500"
    assert others[-1] == "LookupError: gone"


@pytest.mark.parametrize("console", [False, True])
def test_a_record_about_a_request_has_the_request_id(rf: RequestFactory, *, console: bool) -> None:
    request = rf.get("/")
    assert "request_id" not in formatted("Failed", request=request, console=console)
    request.META["HTTP_X_REQUEST_ID"] = "7d0a1c5e"
    line = formatted("Failed", request=request, console=console)
    assert ("request_id=7d0a1c5e" if console else '"request_id": "7d0a1c5e"') in line


@pytest.mark.live
def test_the_development_server_does_not_log_queries() -> None:
    code = """
        import django, logging; django.setup(); logger = logging.getLogger("django.server")
        logger.warning('"%s" %s %s', "GET /?token=secret HTTP/1.1", "404", "1")
        logger.error("You're accessing the development server over HTTPS")
    """
    [line] = run(dedent(code)).stderr.splitlines()
    assert line.endswith("ERROR django.server: You're accessing the development server over HTTPS")


@pytest.mark.live
def test_django_logs_only_crashed_requests() -> None:
    code = """
        import django, logging; django.setup(); logger = logging.getLogger("django.request")
        logger.error("Service Unavailable: /secret", extra={"status_code": 503})
        try: 1 / 0
        except ZeroDivisionError: logger.exception("Internal Server Error")
    """
    first, *_, last = run(dedent(code)).stderr.splitlines()
    assert first.endswith("ERROR django.request: Internal Server Error")
    assert last.startswith("ZeroDivisionError")


@pytest.mark.live
def test_lines_of_several_threads_are_whole() -> None:
    code = """
        import django, logging; django.setup(); logger = logging.getLogger("api")
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: logger.info("%s", str(n % 10) * 3000), range(200)))
    """
    lines = run(dedent(code)).stderr.splitlines()
    assert len(lines) == 200
    for line in lines:
        message = line.rpartition(": ")[2]
        assert message == message[0] * 3000


@pytest.mark.live
def test_a_closed_standard_error_fails_no_request() -> None:
    code = """
        import django, logging, os; django.setup(); logger = logging.getLogger("api")
        os.close(2)
        logger.info("Nobody hears this")
        print("but it goes on")
    """
    assert run(dedent(code)).stdout == "but it goes on\n"
