"""Format log records for people or for programs.

``extra={"fields": …}`` adds names and values to a record, which both formats show.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MAX_HOST_MESSAGE_CHARACTERS = 200
# Text that cannot pass for "-" or for the end of a value.
PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9/_.:@|{}-]*")


def shorten(record: logging.LogRecord) -> bool:
    """Cut a record that any client can cause and fill: its traceback and most of its text."""
    record.msg = record.getMessage()[:MAX_HOST_MESSAGE_CHARACTERS]
    record.args, record.exc_info = (), None
    return True


def only_crashes(record: logging.LogRecord) -> bool:
    return bool(record.exc_info)


def no_requests(record: logging.LogRecord) -> bool:
    return not record.args


class StandardErrorHandler(logging.Handler):
    """Write each record to standard error in one call of the system, without a lock.

    ``StreamHandler`` holds its lock while the system writes, and every thread that answers a
    request waits for that lock.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        try:
            os.write(2, f"{self.format(record)}\n".encode(errors="backslashreplace"))
        except Exception:  # noqa: BLE001 - like every handler: a log must not fail a request
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    """Write one JSON object a line: no message can start a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps({**entry, **_fields_of(record)})


class ConsoleFormatter(logging.Formatter):
    """Write a message and its fields as ``name=value`` on one line, then the traceback.

    Characters that do not print are escaped: no message can start a line of its own or change the
    direction of writing. ``-`` stands for no value.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = (
            f"{self.formatTime(record)} {record.levelname} {record.name}: "
            f"{_printable(record.getMessage())}"
        )
        for name, value in _fields_of(record).items():
            line += f" {name}={_shown(value)}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    """Return the fields of a record, or the id of the request that Django logs it about."""
    if fields := getattr(record, "fields", None):
        return fields  # type: ignore[no-any-return]
    meta = getattr(getattr(record, "request", None), "META", {})
    request_id = meta.get("HTTP_X_REQUEST_ID")
    return {"request_id": request_id} if request_id else {}


def _shown(value: object) -> str:
    if value is None:
        return "-"
    is_plain = not isinstance(value, str) or PLAIN.fullmatch(value)
    return str(value) if is_plain else json.dumps(value)


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
