"""Share threads among askers in turn."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class Turns:
    """Run calls in a fixed number of threads. A free thread takes the next asker's oldest call.

    An asker with sixty calls waits for each as long as another asker waits for a single one. No
    asker has all threads at once, so that another finds one soon. Belongs to one event loop.
    """

    def __init__(self, threads: int, *, name: str) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        # A thread finds its next call in the executor's queue, without waking the loop first.
        self._free = 2 * threads
        self._most_of_one = max(1, threads - 1)
        self._running: Counter[str] = Counter()
        # By asker, in the order of their turns. Each asker has at least one call.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def take(self, asker: str) -> asyncio.Future[None] | None:
        """Return ``None`` for a turn now, or a future whose result is a turn.

        The caller then calls ``run()``. To cancel the future gives up the turn.
        """
        if self._may_start(asker):
            self._start(asker)
            return None
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(asker, deque()).append(turn)
        return turn

    async def run(self, asker: str, function: Callable[[], Result]) -> Result:
        """Call ``function`` in a thread, in the turn of this asker."""
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
            if not turn.done():  # a turn that was given up is done
                self._start(following)
                turn.set_result(None)

    def _oldest_turn(self, asker: str) -> asyncio.Future[None]:
        """Remove and return it. The asker's other turns go behind those of all askers."""
        turns = self._waiting.pop(asker)
        turn = turns.popleft()
        if turns:
            self._waiting[asker] = turns
        return turn
