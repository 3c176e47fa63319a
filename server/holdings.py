"""Bound the octets that clients make a worker hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

from api.errors.exceptions import Overloaded

MAX_OCTETS = 64 * 1024 * 1024
MAX_OCTETS_OF_ADDRESS = 8 * 1024 * 1024
SMALL_OCTETS = 16 * 1024  # a holding up to this size is lost last


class Holding:
    """Count the octets of one request for the client's address, and release them on exit.

    They are the body until its request has a thread, then the answer while it is sent.
    """

    def __init__(self, room: Room, address: str) -> None:
        self._room = room
        self.address = address
        self.octets = 0
        self.is_lost = False
        # Ends the wait for the client. None while nothing waits for the client.
        self.give_up: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()

    def add(self, octets: int) -> None:
        self._room.add(self, octets)

    def release(self) -> None:
        self._room.remove(self)

    @asynccontextmanager
    async def bounded(self, seconds: float) -> AsyncIterator[None]:
        """Raise ``TimeoutError`` after ``seconds``, and ``Overloaded`` once the holding is lost."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds) as limit:
                self.give_up = lambda: limit.reschedule(loop.time())
                try:
                    yield
                finally:
                    self.give_up = None
        except TimeoutError:
            if self.is_lost:
                raise Overloaded from None
            raise


class Room:
    """Bound the holdings of a worker's clients, for each address and in all.

    Over a bound, the address with the most octets loses its oldest holding that waits for its
    client. So a client that stalls does not keep out others.
    """

    def __init__(self) -> None:
        self._octets = 0
        self._octets_of: Counter[str] = Counter()
        self._holdings_of: dict[str, dict[Holding, None]] = {}

    def add(self, holding: Holding, octets: int) -> None:
        if not octets:
            return
        address = holding.address
        self._holdings_of.setdefault(address, {})[holding] = None
        holding.octets += octets
        self._octets_of[address] += octets
        self._octets += octets
        while self._octets_of[address] > MAX_OCTETS_OF_ADDRESS and self._take_from(address):
            pass
        while self._octets > MAX_OCTETS:
            [(largest, _)] = self._octets_of.most_common(1)
            if not self._take_from(largest):
                break

    def remove(self, holding: Holding) -> None:
        if not holding.octets:
            return
        address = holding.address
        self._octets -= holding.octets
        self._octets_of[address] -= holding.octets
        holding.octets = 0
        del self._holdings_of[address][holding]
        if not self._holdings_of[address]:
            del self._holdings_of[address], self._octets_of[address]

    def _take_from(self, address: str) -> bool:
        """Take away the oldest holding that waits for its client. Return false without one."""
        waiting = [each for each in self._holdings_of[address] if each.give_up]
        if not waiting:
            return False
        loser = next((each for each in waiting if each.octets > SMALL_OCTETS), waiting[0])
        give_up, loser.give_up, loser.is_lost = loser.give_up, None, True
        self.remove(loser)
        if give_up:
            give_up()
        return True
