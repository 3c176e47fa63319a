"""Threads that do for coroutines what would hold up their event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")


class Threads:
    """So many, which take what is to be done in the order in which it comes.

    ``loop.run_in_executor`` does the same with two futures, a lock and a condition for each
    call, which together cost more than all else that the gateway does for a request.
    """

    def __init__(self, count: int, *, name: str) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]]] = SimpleQueue()
        for number in range(count):
            Thread(target=self._work, name=f"{name}_{number}", daemon=True).start()

    async def run(self, function: Callable[[], Result]) -> Result:
        """What it returns, or raises, in one of the threads."""
        outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._calls.put((function, outcome))
        return await outcome

    def _work(self) -> None:
        while True:
            _do(*self._calls.get())


def _do(function: Callable[[], Result], outcome: asyncio.Future[Result]) -> None:
    try:
        settle = partial(outcome.set_result, function())
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        settle = partial(outcome.set_exception, error)
    with suppress(RuntimeError):  # the loop is closed, and nobody waits
        outcome.get_loop().call_soon_threadsafe(_unless_done, outcome, settle)


def _unless_done(outcome: asyncio.Future[Any], settle: Callable[[], None]) -> None:
    if not outcome.done():  # whoever waited for it may have been cancelled
        settle()
