from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

MAX_HOST_MESSAGE_CHARACTERS = 200


def shorten(record: logging.LogRecord) -> bool:
    """A filter for a line that anybody can cause and fill: no traceback, and not all of it."""
    record.msg = record.getMessage()[:MAX_HOST_MESSAGE_CHARACTERS]
    record.args, record.exc_info = (), None
    return True


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
        return json.dumps(entry)
