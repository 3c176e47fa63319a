"""The threads that do for coroutines what would hold up their event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial

import pytest

from config.threads import Threads


def test_what_a_function_returns_or_raises_comes_back() -> None:
    async def story() -> None:
        threads = Threads(2, name="test")
        assert await threads.run(lambda: threading.current_thread().name) in ("test_0", "test_1")
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0)
        assert await threads.run(lambda: "and goes on") == "and goes on"

    asyncio.run(story())


def test_they_are_so_many_and_take_turns() -> None:
    async def story() -> None:
        threads, order = Threads(1, name="test"), list[int]()
        await asyncio.gather(*(threads.run(partial(order.append, n)) for n in range(50)))
        assert order == [*range(50)]

    asyncio.run(story())


def test_one_that_nobody_waits_for_any_more_hurts_nobody() -> None:
    over = threading.Event()

    async def story(threads: Threads, do: Callable[[], object]) -> None:
        waiting = asyncio.create_task(threads.run(do))
        await asyncio.sleep(0.05)
        waiting.cancel()
        over.set()
        assert await threads.run(lambda: "next") == "next"

    asyncio.run(story(Threads(1, name="test"), lambda: over.wait(10)))


def test_nor_does_one_whose_loop_is_closed() -> None:
    threads, over = Threads(1, name="test"), threading.Event()

    async def leave() -> None:
        task = asyncio.create_task(threads.run(lambda: over.wait(10)))
        await asyncio.sleep(0.05)
        task.cancel()

    async def come_back() -> str:
        return await threads.run(lambda: "still there")

    asyncio.run(leave())
    over.set()
    assert asyncio.run(come_back()) == "still there"
