"""Octets that clients make a worker hold, and who loses them when there are too many."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

MAX_OCTETS = 64 * 1024 * 1024
MAX_OCTETS_OF_ADDRESS = 8 * 1024 * 1024
SMALL_OCTETS = 16 * 1024  # loses only where nothing larger is left


class Lost(Exception):
    """Another request needed the room."""


class Holding:
    """Octets of one request: its body while it is read and waits, its answer while it is sent.

    A context manager, which releases them. Counted by the client's address.
    """

    def __init__(self, room: Room, address: str) -> None:
        self._room = room
        self.address = address
        self.octets = 0
        self.is_lost = False
        # Ends what its client keeps us waiting for. None while nothing waits for the client.
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
        """Raise ``TimeoutError`` when ``seconds`` are over, and ``Lost`` when the room is."""
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
                raise Lost from None
            raise


class Room:
    """The holdings of all clients of a worker, bounded for each address and in all.

    Over a bound, the address with the most octets loses its oldest holding that waits for its
    client. A client that stalls thus keeps out nobody who does not.
    """

    def __init__(self) -> None:
        self._octets = 0
        self._octets_of: Counter[str] = Counter()
        self._holdings_of: dict[str, dict[Holding, None]] = {}

    def holding(self, address: str) -> Holding:
        return Holding(self, address)

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
        while self._octets > MAX_OCTETS and self._take_from(self._largest_address()):
            pass

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

    def _largest_address(self) -> str:
        return max(self._octets_of, key=self._octets_of.__getitem__)

    def _take_from(self, address: str) -> bool:
        """Take the oldest holding that can be taken. False where there is none."""
        waiting = [each for each in self._holdings_of[address] if each.give_up]
        if not waiting:
            return False
        loser = next((each for each in waiting if each.octets > SMALL_OCTETS), waiting[0])
        give_up, loser.give_up, loser.is_lost = loser.give_up, None, True
        self.remove(loser)
        if give_up:
            give_up()
        return True
