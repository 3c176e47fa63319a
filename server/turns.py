"""Threads that take requests in turn by who asks."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class Turns:
    """A fixed number of threads. One that is free takes the next asker's oldest call.

    An asker with sixty calls waits for each as long as another asker waits for its only one.
    No asker has all threads at once, so that a new one finds one free or soon free. Belongs to
    one event loop.
    """

    def __init__(self, threads: int, *, name: str) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        # A thread that ends a call finds the next one at once, and need not wake the loop first.
        self._free = 2 * threads
        self._most_of_one = max(1, threads - 1)
        self._running: Counter[str] = Counter()
        # By asker, in the order of their turns. Each has a call waiting at least.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def take(self, asker: str) -> asyncio.Future[None] | None:
        """Take a turn: now, which is ``None``, or when the future has a result.

        Whoever has a turn calls ``run``. Cancelling the future gives up the wait.
        """
        if self._may_start(asker):
            self._start(asker)
            return None
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(asker, deque()).append(turn)
        return turn

    async def run(self, asker: str, function: Callable[[], Result]) -> Result:
        """Call ``function`` in a thread, in the turn that this asker has taken."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, function)
        finally:
            self._end(asker)

    def _may_start(self, asker: str) -> bool:
        return self._free > 0 and self._running[asker] < self._most_of_one

    def _start(self, asker: str) -> None:
        self._free -= 1
        self._running[asker] += 1

    def _end(self, asker: str) -> None:
        self._free += 1
        self._running[asker] -= 1
        if not self._running[asker]:
            del self._running[asker]
        while (following := next(filter(self._may_start, self._waiting), None)) is not None:
            turn = self._oldest_turn(following)
            if not turn.done():  # a wait that was given up is done
                self._start(following)
                turn.set_result(None)

    def _oldest_turn(self, asker: str) -> asyncio.Future[None]:
        """Take it from the queue. The other turns of this asker come after everybody's next."""
        turns = self._waiting.pop(asker)
        turn = turns.popleft()
        if turns:
            self._waiting[asker] = turns
        return turn
