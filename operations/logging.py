"""How a record of the log becomes a line: for people, or for programs.

A record may have ``fields``, a mapping of names to values: what it says besides its message,
for whoever searches or counts. Both formats have them as they are.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

# No format here says them, and each record would be asked for them
# (https://docs.python.org/3/howto/logging.html#optimization).
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

MAX_HOST_MESSAGE_CHARACTERS = 200
# What can neither be taken for the end of a value nor for "-".
PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9/_.:@|{}-]*")


def shorten(record: logging.LogRecord) -> bool:
    """A filter for a line that anybody can cause and fill: no traceback, and not all of it."""
    record.msg = record.getMessage()[:MAX_HOST_MESSAGE_CHARACTERS]
    record.args, record.exc_info = (), None
    return True


class StandardError(logging.Handler):
    """Writes each record to standard error at once, in one call of the system.

    It needs no lock for that. Under the framework's own, which is held while the system writes,
    every thread of a busy server waits for every other.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        try:
            os.write(2, f"{self.format(record)}\n".encode(errors="backslashreplace"))
        except Exception:  # noqa: BLE001 - as every handler does: a log must not fail a request
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: nothing in a message can start a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps({**entry, **fields_of(record)})


class ConsoleFormatter(logging.Formatter):
    """One line, but for a traceback: the message, and behind it the fields as ``name=value``.

    What does not print is escaped, so that no message can start a line of its own or, with
    the marks that turn the direction of writing, pass for another one. ``-`` is no value.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = (
            f"{_second(int(record.created))},{int(record.msecs):03} {record.levelname} "
            f"{record.name}: {_printable(record.getMessage())}"
        )
        fields = (f" {name}={_shown(value)}" for name, value in fields_of(record).items())
        line += "".join(fields)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


@lru_cache(4)
def _second(number: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(number))


def fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    """Its own, or the id of the request that Django says it is about."""
    if fields := getattr(record, "fields", None):
        return fields  # type: ignore[no-any-return]
    environ = getattr(getattr(record, "request", None), "META", {})
    request_id = environ.get("HTTP_X_REQUEST_ID")
    return {"request_id": request_id} if request_id else {}


def _shown(value: object) -> str:
    if value is None:
        return "-"
    is_plain = not isinstance(value, str) or PLAIN.fullmatch(value)
    return str(value) if is_plain else json.dumps(value)


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
