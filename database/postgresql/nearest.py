"""Load dates and times that Python cannot hold, such as ``infinity`` and ``24:00``."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.types.datetime import DateLoader, TimeLoader, TimestamptzLoader

RANGES: list[tuple[str, type[Loader], Any, Any]] = [
    ("date", DateLoader, date.min, date.max),
    ("time", TimeLoader, time.min, time.max),
    ("timestamptz", TimestamptzLoader, datetime.min, datetime.max),
]


def register_loaders(cursor: Any) -> None:
    """Make a cursor load the nearest value that Python can hold. It is slower than others."""
    for name, loader, earliest, latest in RANGES:
        cursor.adapters.register_loader(name, _nearest(loader, earliest, latest))


def _nearest(loader: type[Loader], earliest: Any, latest: Any) -> type[Loader]:
    class Nearest(loader):  # type: ignore[misc, valid-type]
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                text = bytes(data)
                value = earliest if text.startswith(b"-") or text.endswith(b"BC") else latest
                return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value

    return Nearest
