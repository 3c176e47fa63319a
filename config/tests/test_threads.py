from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from config.threads import Threads


def run(story: Callable[[Threads], Awaitable[Any]], *, count: int = 1) -> Any:
    async def told() -> Any:
        return await story(Threads(count, name="test"))

    return asyncio.run(asyncio.wait_for(told(), 10))


def test_what_is_returned_comes_from_another_thread() -> None:
    name = run(lambda threads: threads.run(lambda: threading.current_thread().name))
    assert name == "test_0"


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(1)])
def test_what_is_raised_is_raised_where_it_is_waited_for(error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def story(threads: Threads) -> str:
        with pytest.raises(type(error)) as raised:
            await threads.run(fail)
        assert raised.value is error
        return await threads.run(lambda: "and goes on")

    assert run(story) == "and goes on"


def test_they_take_one_after_another_in_the_order_of_asking() -> None:
    taken: list[int] = []

    async def story(threads: Threads) -> None:
        await asyncio.gather(*(threads.run(partial(taken.append, number)) for number in range(50)))

    run(story)
    assert taken == [*range(50)]


def test_several_work_at_the_same_time() -> None:
    together = threading.Barrier(3)

    async def story(threads: Threads) -> None:
        await asyncio.gather(*(threads.run(lambda: together.wait(10)) for _ in range(3)))

    run(story, count=3)


def test_one_that_nobody_waits_for_any_more_keeps_no_thread() -> None:
    go_on = threading.Event()
    complaints: list[Any] = []

    async def story(threads: Threads) -> str:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context)
        )
        for outcome in (go_on.wait, lambda: 1 / 0):
            waiting = asyncio.create_task(threads.run(outcome))
            await asyncio.sleep(0.01)
            waiting.cancel()
        go_on.set()
        return await threads.run(lambda: "next")

    assert run(story) == "next"
    assert not complaints


def test_neither_does_one_whose_loop_is_gone() -> None:
    threads, go_on = Threads(1, name="test"), threading.Event()

    async def leave() -> None:
        asyncio.create_task(threads.run(lambda: go_on.wait(10)))  # noqa: RUF006
        await asyncio.sleep(0.01)

    asyncio.run(leave())
    go_on.set()
    assert asyncio.run(asyncio.wait_for(threads.run(lambda: "next"), 10)) == "next"
