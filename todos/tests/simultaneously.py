from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")

START_SECONDS = 10


def simultaneously(tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """Start all tasks together, each with its own database connection, and return their results.

    Needs ``django_db(transaction=True)``, because a connection sees committed rows only.
    """
    start = Barrier(len(tasks), timeout=START_SECONDS)

    def run(task: Callable[[], Result]) -> Result:
        try:
            connections["default"].ensure_connection()  # or the first would be done by then
            start.wait()
            return task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))
