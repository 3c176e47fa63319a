from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from server.turns import Turns


def tell(story: Callable[[Turns], Awaitable[Any]], *, threads: int = 1) -> Any:
    async def told() -> Any:
        return await story(Turns(threads, name="test"))

    return asyncio.run(asyncio.wait_for(told(), 10))


async def run(turns: Turns, asker: str, function: Callable[[], Any]) -> Any:
    if (turn := turns.take(asker)) is not None:
        await turn
    return await turns.run(asker, function)


def test_a_call_runs_in_a_thread_of_the_turns() -> None:
    name = tell(lambda turns: run(turns, "a", lambda: threading.current_thread().name))
    assert name == "test_0"


def test_an_error_reaches_the_caller_and_frees_the_thread() -> None:
    async def story(turns: Turns) -> str:
        with pytest.raises(ZeroDivisionError):
            await run(turns, "a", lambda: 1 / 0)
        return str(await run(turns, "a", lambda: "next"))

    assert tell(story) == "next"


def test_askers_take_turns_whoever_came_first() -> None:
    order: list[str] = []

    async def story(turns: Turns) -> None:
        busy = [run(turns, "busy", partial(order.append, "busy")) for _ in range(60)]
        others = [run(turns, name, partial(order.append, name)) for name in ("b", "c")]
        await asyncio.gather(*busy, *others)

    tell(story)
    assert order[:4] == ["busy", "b", "busy", "c"]
    assert len(order) == 62


def test_calls_of_one_asker_keep_their_order() -> None:
    order: list[int] = []

    async def story(turns: Turns) -> None:
        await asyncio.gather(*(run(turns, "a", partial(order.append, n)) for n in range(50)))

    tell(story)
    assert order == [*range(50)]


def test_one_asker_never_has_the_last_thread() -> None:
    over, running, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        over.wait(10)
        with lock:
            running -= 1

    async def story(turns: Turns) -> None:
        busy = [asyncio.create_task(run(turns, "busy", work)) for _ in range(20)]
        await asyncio.sleep(0.05)
        assert await run(turns, "other", lambda: "at once") == "at once"
        over.set()
        await asyncio.gather(*busy)

    tell(story, threads=4)
    assert most == 3


def test_several_askers_use_every_thread() -> None:
    together = threading.Barrier(3)

    async def story(turns: Turns) -> None:
        await asyncio.gather(*(run(turns, each, lambda: together.wait(10)) for each in "abb"))

    tell(story, threads=3)


def test_a_turn_that_is_given_up_takes_no_thread() -> None:
    over = threading.Event()
    order: list[str] = []

    async def story(turns: Turns) -> None:
        busy = [asyncio.create_task(run(turns, each, lambda: over.wait(10))) for each in "ac"]
        await asyncio.sleep(0)
        given_up = [turns.take("b") for _ in range(2000)]
        last = asyncio.create_task(run(turns, "b", lambda: order.append("b")))
        await asyncio.sleep(0)
        for turn in given_up:
            assert turn is not None
            turn.cancel()
        over.set()
        await asyncio.gather(*busy, last)
        assert not turns._waiting
        assert not turns._running

    tell(story)
    assert order == ["b"]
