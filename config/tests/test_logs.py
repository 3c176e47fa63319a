from __future__ import annotations

import json
import logging
import sys

from config.logs import JsonFormatter


def formatted(message: str, *arguments: object, exc_info: object = None) -> str:
    record = logging.LogRecord("a.b", logging.INFO, "", 0, message, arguments, None)
    record.exc_info = exc_info  # type: ignore[assignment]
    return JsonFormatter().format(record)


def test_a_record_is_one_object_on_one_line() -> None:
    line = formatted("Token refused: %s", 'a\n"b"\u2028')
    assert len(line.splitlines()) == 1
    entry = json.loads(line)
    assert entry.pop("time").endswith("+00:00")
    assert entry == {"level": "INFO", "logger": "a.b", "message": 'Token refused: a\n"b"\u2028'}


def test_a_traceback_is_part_of_it() -> None:
    try:
        raise LookupError("gone")
    except LookupError:
        line = formatted("Failed", exc_info=sys.exc_info())
    assert len(line.splitlines()) == 1
    assert "LookupError: gone" in json.loads(line)["exception"]
