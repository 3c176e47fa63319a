"""A time limit for statements that read a list, below that of every statement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection

from api.errors.exceptions import SearchTooBroad

QUERY_CANCELED = "57014"  # SQLSTATE of PostgreSQL
SQLITE_STEPS = 1000  # between two looks at the clock: about 50 rows


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``SearchTooBroad`` if a statement in the block takes longer.

    Costs no round trip, and leaves the connection usable.
    """
    limited = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    try:
        with limited(seconds):
            yield
    except OperationalError as error:
        code = getattr(error.__cause__, "sqlstate", "")
        if code == QUERY_CANCELED or str(error) == "interrupted":  # by SQLite
            raise SearchTooBroad from error
        raise


@contextmanager
def _on_postgresql(seconds: float) -> Iterator[None]:
    setting = f"SET LOCAL statement_timeout = {round(seconds * 1000)}"

    def execute_limited(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        # PostgreSQL runs one message in one transaction, with which LOCAL ends.
        result = execute(f"{setting}; {sql}", *rest)
        rest[-1]["cursor"].nextset()
        return result

    with connection.execute_wrapper(execute_limited):
        yield


@contextmanager
def _on_sqlite(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    connection.ensure_connection()
    driver = connection.connection
    driver.set_progress_handler(lambda: time.monotonic() > end, SQLITE_STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, SQLITE_STEPS)
