"""Verify in an event loop, which must not wait for the issuer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from pytest_django import Settings

from authn import averify
from authn.claims import Claims
from authn.exceptions import KeysPending, KeysUnavailable, KeyUnknown, NotConfigured, TokenExpired
from authn.keys import MAX_AGE_SECONDS, MAX_WAITING, REFRESH_AFTER_SECONDS, KeySet
from authn.testing import Clock, Issuer, Mint
from authn.tests.language import Gate, settle
from authn.verifier import TokenVerifier

BLOCKED_SECONDS = 0.5


@pytest.fixture
def gate(issuer: Issuer) -> Iterator[Gate]:
    gate = Gate(issuer)
    yield gate
    gate.opened.set()


@pytest.fixture
def verifier(issuer: Issuer, gate: Gate, clock: Clock) -> TokenVerifier:
    [trust] = issuer.verifier()._trusts
    return TokenVerifier([replace(trust, keys=KeySet(gate.fetch, clock=clock))], clock=clock)


async def while_ticking(work: Awaitable[object]) -> float:
    """Return the longest time that the event loop was held during ``work``."""
    longest, task = 0.0, asyncio.ensure_future(work)
    while not task.done():
        start = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - start)
    await task
    return longest


def test_the_loop_goes_on_while_keys_are_fetched(
    verifier: TokenVerifier, issuer: Issuer, gate: Gate
) -> None:
    gate.opened.clear()

    async def story() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(BLOCKED_SECONDS, gate.opened.set)
        return await while_ticking(verifier.averify(issuer.mint()))

    assert asyncio.run(story()) < BLOCKED_SECONDS / 2


def test_any_number_of_tasks_wait_for_one_fetch(
    verifier: TokenVerifier, issuer: Issuer, gate: Gate
) -> None:
    gate.opened.clear()
    tokens = [issuer.mint(sub=f"user-{number}") for number in range(10 * MAX_WAITING)]

    async def story() -> list[Claims]:
        tasks = [asyncio.ensure_future(verifier.averify(token)) for token in tokens]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in tasks)
        gate.opened.set()
        return await asyncio.gather(*tasks)

    claims = asyncio.run(story())
    assert [each.subject for each in claims] == [f"user-{number}" for number in range(len(tokens))]
    assert issuer.fetches == 1


def test_a_known_key_does_not_wait_for_a_fetch(
    verifier: TokenVerifier, issuer: Issuer, gate: Gate, clock: Clock
) -> None:
    asyncio.run(verifier.averify(issuer.mint()))
    gate.opened.clear()
    clock.advance(REFRESH_AFTER_SECONDS)
    assert asyncio.run(verifier.averify(issuer.mint(sub="bob"))).subject == "bob"
    gate.opened.set()
    settle(verifier._trusts[0].keys)


def test_a_cancelled_task_leaves_the_fetch_to_the_others(
    verifier: TokenVerifier, issuer: Issuer, gate: Gate
) -> None:
    gate.opened.clear()

    async def story() -> Claims:
        impatient = asyncio.ensure_future(verifier.averify(issuer.mint()))
        patient = asyncio.ensure_future(verifier.averify(issuer.mint(sub="bob")))
        await asyncio.sleep(0.05)
        impatient.cancel()
        with suppress(asyncio.CancelledError):
            await impatient
        gate.opened.set()
        return await patient

    assert asyncio.run(story()).subject == "bob"


def test_patience_ends_with_the_timeout_of_a_fetch(
    verifier: TokenVerifier, issuer: Issuer, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authn.verifier.TIMEOUT_SECONDS", 0.05)
    gate.opened.clear()
    with pytest.raises(KeysPending) as caught:
        asyncio.run(verifier.averify(issuer.mint()))
    assert caught.value.retry_after_seconds == 1
    assert caught.value.code == "keys_unavailable"


def test_a_failed_fetch_makes_the_keys_unavailable(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    issuer.broken = True
    for _ in range(2):  # the second is within the cooldown, and fetches nothing
        with pytest.raises(KeysUnavailable):
            asyncio.run(verifier.averify(issuer.mint()))
    assert issuer.fetches == 1
    clock.advance(MAX_AGE_SECONDS)
    issuer.broken = False
    assert asyncio.run(verifier.averify(issuer.mint()))


def test_a_kid_that_the_fetch_does_not_bring_is_unknown(
    verifier: TokenVerifier, issuer: Issuer
) -> None:
    with pytest.raises(KeyUnknown):
        asyncio.run(verifier.averify(issuer.mint(header={"kid": "other"})))


def test_averify_follows_the_settings(settings: Settings, mint: Mint) -> None:
    assert asyncio.run(averify(mint(sub="alice"))).subject == "alice"
    with pytest.raises(TokenExpired):
        asyncio.run(averify(mint(exp=1)))
    settings.BETTER_AUTH_SECRET = ""
    with pytest.raises(NotConfigured):
        asyncio.run(averify(mint()))
