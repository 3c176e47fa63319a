"""Read values that Python cannot hold, which only SQL from outside this project writes.

A row with such a value must not cost a user the whole list.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DatabaseError, DataError
from django.db.models import Field
from django.utils.dateparse import parse_date, parse_datetime, parse_time

EARLIEST = {
    "DateField": date.min,
    "DateTimeField": datetime.min.replace(tzinfo=UTC),
    "TimeField": time.min,
    "UUIDField": UUID(int=0),
}


def substitute(field: Field[Any, Any]) -> Any:
    """Return the value to show for one that cannot be read: null, or else the least."""
    if field.null:
        return None
    return EARLIEST.get(field.get_internal_type(), field.get_default())


@contextmanager
def lenient_cursor(connection: Any, error: DatabaseError) -> Iterator[Any]:
    """Open a cursor that reads the nearest value. Raises ``error`` if that is of no help."""
    if connection.vendor == "postgresql" and isinstance(error, DataError):
        from database.postgresql.nearest import register_loaders  # needs psycopg

        with connection.cursor() as cursor:
            register_loaders(cursor)
            yield cursor
    elif connection.vendor == "sqlite" and "decode" in str(error):
        connection.connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.connection.text_factory = str
    else:
        raise error


def _null_if_unreadable(parse: Callable[[str], Any], octets: bytes) -> Any:
    try:
        return parse(octets.decode())
    except ValueError:
        return None


# Converters of Django raise for 2026-02-31, and return None for other texts.
for _kind, _parse in [("date", parse_date), ("datetime", parse_datetime), ("time", parse_time)]:
    sqlite3.register_converter(_kind, partial(_null_if_unreadable, _parse))
