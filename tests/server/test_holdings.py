from __future__ import annotations

import asyncio

import pytest

from api.errors.exceptions import Overloaded
from server import holdings
from server.holdings import Holding, Room


@pytest.fixture(autouse=True)
def _small_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "MAX_OCTETS", 300)
    monkeypatch.setattr(holdings, "MAX_OCTETS_OF_ADDRESS", 100)
    monkeypatch.setattr(holdings, "SMALL_OCTETS", 10)


def waiting(room: Room, address: str, octets: int) -> Holding:
    """Octets of a client that is waited for."""
    holding = Holding(room, address)
    holding.give_up = lambda: None
    holding.add(octets)
    return holding


def lost(*of: Holding) -> list[int]:
    return [number for number, each in enumerate(of) if each.is_lost]


def test_an_address_over_its_bound_loses_its_oldest_holding() -> None:
    room = Room()
    other = waiting(room, "b", 90)
    own = [waiting(room, "a", 40) for _ in range(4)]
    assert lost(other, *own) == [1, 2]


def test_the_largest_address_loses_over_the_bound_of_all() -> None:
    room = Room()
    small = [waiting(room, f"{number}", 60) for number in range(4)]
    large = [waiting(room, "a", 50), waiting(room, "a", 40)]
    assert lost(*small, *large) == [4]


def test_small_holdings_are_lost_last() -> None:
    room = Room()
    small, large = waiting(room, "a", 10), waiting(room, "a", 60)
    newest = waiting(room, "a", 60)
    assert lost(small, large, newest) == [1]


def test_small_holdings_are_lost_without_larger_ones() -> None:
    room = Room()
    small = [waiting(room, "a", 10) for _ in range(11)]
    assert lost(*small) == [0]


def test_a_request_with_a_thread_loses_nothing() -> None:
    room = Room()
    begun = Holding(room, "a")
    begun.add(90)
    waits = waiting(room, "a", 40)
    assert lost(begun, waits) == [1]


def test_a_released_holding_makes_room() -> None:
    room = Room()
    for _ in range(10):
        with waiting(room, "a", 90) as holding:
            assert not holding.is_lost
    assert not room._holdings_of
    assert not room._octets_of
    assert room._octets == 0


def test_a_request_without_octets_is_not_kept() -> None:
    room = Room()
    with Holding(room, "a") as holding:
        holding.add(0)
    assert not room._holdings_of


def test_a_lost_holding_differs_from_a_slow_client() -> None:
    room = Room()

    async def stall(octets: int, seconds: float) -> None:
        with Holding(room, "a") as holding:
            async with holding.bounded(seconds):
                holding.add(octets)
                await asyncio.sleep(10)

    async def story() -> tuple[BaseException | None, ...]:
        first = asyncio.create_task(stall(60, 10))
        await asyncio.sleep(0)
        return await asyncio.gather(first, stall(60, 0.05), return_exceptions=True)

    first, second = asyncio.run(story())
    assert isinstance(first, Overloaded)
    assert isinstance(second, TimeoutError)
    assert room._octets == 0
