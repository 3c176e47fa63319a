"""The cache of the key set: when it fetches, and what requests get in the meantime."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from authn.exceptions import (
    AlgorithmUnsupported,
    KeyAmbiguous,
    KeySetInvalid,
    KeysUnavailable,
    KeyUnknown,
)
from authn.fetching import TIMEOUT_SECONDS
from authn.jwks import VerificationKey
from authn.keys import (
    COOLDOWN_SECONDS,
    GRACE_SECONDS,
    MAX_AGE_SECONDS,
    MAX_WAITING,
    REFRESH_AFTER_SECONDS,
    KeySet,
    SecretKey,
)
from authn.testing import Clock, Issuer
from authn.tests.language import Gate, settle, wait_until


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> KeySet:
    return KeySet(issuer.fetch, clock=clock)


def ask(keys: KeySet, kid: str | None, algorithm: str = "EdDSA") -> VerificationKey:
    return keys.key_for(kid=kid, algorithm=algorithm)


@pytest.fixture
def gate(issuer: Issuer) -> Iterator[Gate]:
    gate = Gate(issuer)
    yield gate
    gate.opened.set()


class TestLookup:
    def test_a_kid_with_the_algorithm_of_another_key_is_refused(
        self, keys: KeySet, issuer: Issuer
    ) -> None:
        with pytest.raises(AlgorithmUnsupported):
            ask(keys, issuer.kid, "ES256")

    def test_without_kid_the_only_key_of_the_algorithm_is_found(
        self, keys: KeySet, issuer: Issuer
    ) -> None:
        eddsa = issuer.kid
        es256 = issuer.rotate("ES256")
        assert ask(keys, None, "EdDSA").kid == eddsa
        assert ask(keys, None, "ES256").kid == es256

    def test_without_kid_two_keys_of_the_algorithm_are_ambiguous(
        self, keys: KeySet, issuer: Issuer
    ) -> None:
        issuer.rotate()
        with pytest.raises(KeyAmbiguous):
            ask(keys, None)

    def test_a_lookup_reads_one_key_however_many_there_are(
        self, keys: KeySet, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kids = [issuer.kid, *(issuer.rotate() for _ in range(50))]
        ask(keys, kids[0])
        looked_at: list[object] = []
        read = VerificationKey.__dict__["algorithm"].__get__
        spy = property(lambda key: looked_at.append(key) or read(key))  # type: ignore[func-returns-value]
        monkeypatch.setattr(VerificationKey, "algorithm", spy)
        for kid in kids:
            assert ask(keys, kid).kid == kid
        assert len(looked_at) == len(kids)

    def test_without_kid_an_algorithm_without_a_key_is_unknown(self, keys: KeySet) -> None:
        with pytest.raises(KeyUnknown):
            ask(keys, None, "RS256")


class TestAge:
    def test_a_fresh_key_set_is_fetched_once(self, keys: KeySet, issuer: Issuer) -> None:
        for _ in range(100):
            ask(keys, issuer.kid)
        assert issuer.fetches == 1

    def test_a_key_set_is_refreshed_in_the_background_ahead_of_expiry(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        ask(keys, issuer.kid)
        clock.advance(REFRESH_AFTER_SECONDS - 0.001)
        ask(keys, issuer.kid)
        settle(keys)
        assert issuer.fetches == 1
        clock.advance(0.001)
        ask(keys, issuer.kid)
        settle(keys)
        assert issuer.fetches == 2
        clock.advance(REFRESH_AFTER_SECONDS)
        keys.require_any()
        settle(keys)
        assert issuer.fetches == 3

    def test_a_known_key_never_waits_for_a_refresh(
        self, gate: Gate, issuer: Issuer, clock: Clock
    ) -> None:
        keys = KeySet(gate.fetch, clock=clock)
        ask(keys, issuer.kid)
        gate.opened.clear()
        clock.advance(MAX_AGE_SECONDS)
        for _ in range(100):
            ask(keys, issuer.kid)  # would hang for seconds if the request waited
        assert keys._is_fetching()
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "key-set")

    def test_the_age_counts_from_the_start_of_the_fetch(self, issuer: Issuer, clock: Clock) -> None:
        def fetch() -> bytes:
            clock.advance(5)
            return issuer.fetch()

        keys = KeySet(fetch, clock=clock)
        ask(keys, issuer.kid)
        clock.advance(REFRESH_AFTER_SECONDS - 5)
        ask(keys, issuer.kid)
        settle(keys)
        assert issuer.fetches == 2

    @pytest.mark.parametrize(("kid", "algorithm"), [(None, "EdDSA"), ("first", "ES256")])
    def test_a_refused_token_also_starts_a_refresh(
        self, keys: KeySet, issuer: Issuer, clock: Clock, kid: str | None, algorithm: str
    ) -> None:
        first = issuer.kid
        issuer.rotate()
        ask(keys, first)
        clock.advance(REFRESH_AFTER_SECONDS)
        with pytest.raises((KeyAmbiguous, AlgorithmUnsupported)):
            ask(keys, kid and first, algorithm)
        settle(keys)
        assert issuer.fetches == 2

    def test_a_withdrawn_key_is_unknown_after_the_next_refresh(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        old = issuer.kid
        ask(keys, old)
        issuer.rotate()
        issuer.withdraw(old)
        clock.advance(REFRESH_AFTER_SECONDS)
        ask(keys, old)
        settle(keys)
        with pytest.raises(KeyUnknown):
            ask(keys, old)

    def test_known_keys_serve_for_an_hour_past_their_age(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        ask(keys, issuer.kid)
        issuer.broken = True
        clock.advance(MAX_AGE_SECONDS + GRACE_SECONDS - 0.001)
        assert ask(keys, issuer.kid)
        settle(keys)
        clock.advance(0.001)
        for use in (keys.require_any, partial(ask, keys, issuer.kid)):
            with pytest.raises(KeysUnavailable):
                use()
        issuer.broken = False
        clock.advance(COOLDOWN_SECONDS)
        assert ask(keys, issuer.kid)

    def test_a_failed_refresh_keeps_the_keys_and_is_retried_after_the_cooldown(
        self, keys: KeySet, issuer: Issuer, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        ask(keys, issuer.kid)
        issuer.broken = True
        clock.advance(MAX_AGE_SECONDS)
        for _ in range(50):
            ask(keys, issuer.kid)
            settle(keys)
        assert issuer.fetches == 2
        assert "The key set was not refreshed: the issuer cannot be reached" in caplog.text
        clock.advance(COOLDOWN_SECONDS)
        ask(keys, issuer.kid)
        settle(keys)
        assert issuer.fetches == 3


class TestUnknownKids:
    @pytest.mark.parametrize("broken", [False, True])
    def test_unknown_kids_fetch_at_most_every_ten_seconds(
        self, keys: KeySet, issuer: Issuer, clock: Clock, *, broken: bool
    ) -> None:
        issuer.broken = broken
        for second in range(60):
            for number in range(20):
                with pytest.raises(KeysUnavailable if broken else KeyUnknown):
                    ask(keys, f"made-up-{second}-{number}")
            clock.advance(1)
        assert issuer.fetches == 6

    def test_the_cooldown_ends_exactly_ten_seconds_after_the_attempt(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        ask(keys, issuer.kid)
        new = issuer.rotate()
        clock.advance(COOLDOWN_SECONDS - 0.001)
        with pytest.raises(KeyUnknown):
            ask(keys, new)
        clock.advance(0.001)
        assert ask(keys, new)
        assert issuer.fetches == 2

    def test_an_unknown_kid_after_a_failed_fetch_is_unavailable_not_refused(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        ask(keys, issuer.kid)
        issuer.broken = True
        new = issuer.rotate()
        clock.advance(COOLDOWN_SECONDS)
        for _ in range(3):
            with pytest.raises(KeysUnavailable):
                ask(keys, new)
        issuer.broken = False
        clock.advance(COOLDOWN_SECONDS)
        assert ask(keys, new)
        with pytest.raises(KeyUnknown):
            ask(keys, "made-up")

    def test_retry_after_is_the_rest_of_the_cooldown(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        issuer.broken = True
        for passed, wait in ((0, 10), (3.5, 7), (6.4, 1)):
            clock.advance(passed)
            with pytest.raises(KeysUnavailable) as caught:
                ask(keys, "made-up")
            assert caught.value.retry_after_seconds == wait

    def test_a_key_set_without_a_usable_key_is_a_failed_fetch(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        ask(keys, issuer.kid)
        issuer.fetch = lambda: b'{"keys":[]}'  # type: ignore[method-assign]
        keys._fetch = issuer.fetch
        clock.advance(COOLDOWN_SECONDS)
        with pytest.raises(KeysUnavailable):
            ask(keys, "made-up")
        assert ask(keys, issuer.kid)


class TestConcurrency:
    def test_a_cold_start_under_load_is_one_fetch(
        self, gate: Gate, issuer: Issuer, clock: Clock
    ) -> None:
        keys = KeySet(gate.fetch, clock=clock)
        gate.opened.clear()
        with ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(ask, keys, issuer.kid) for _ in range(20)]
            wait_until(lambda: sum(answer.done() for answer in answers) == 20 - MAX_WAITING)
            gate.opened.set()
            errors = [answer.exception(timeout=1) for answer in answers]
        assert sum(error is None for error in errors) == MAX_WAITING
        others = [error for error in errors if isinstance(error, KeysUnavailable)]
        assert [error.retry_after_seconds for error in others] == [1] * (20 - MAX_WAITING)
        assert (issuer.fetches, gate.most_at_once) == (1, 1)

    def test_all_requests_wait_for_a_brief_fetch(
        self, gate: Gate, issuer: Issuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("authn.keys.BRIEFLY_SECONDS", 60)  # whatever the machine is doing
        keys = KeySet(gate.fetch, clock=clock)
        gate.opened.clear()
        with ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(ask, keys, issuer.kid) for _ in range(20)]
            wait_until(lambda: keys._waiting == 20)
            gate.opened.set()
            assert {answer.result().kid for answer in answers} == {issuer.kid}
        assert issuer.fetches == 1

    def test_a_fetch_longer_than_the_cooldown_is_the_only_one(
        self, gate: Gate, issuer: Issuer, clock: Clock
    ) -> None:
        keys = KeySet(gate.fetch, clock=clock)
        ask(keys, issuer.kid)
        gate.opened.clear()
        clock.advance(MAX_AGE_SECONDS)
        ask(keys, issuer.kid)
        clock.advance(COOLDOWN_SECONDS)
        ask(keys, issuer.kid)
        gate.opened.set()
        settle(keys)
        assert (issuer.fetches, gate.most_at_once) == (2, 1)

    def test_a_key_that_arrives_as_the_wait_ends_is_unavailable_not_unknown(
        self, gate: Gate, issuer: Issuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The wait ends, and the key arrives at that moment: 503, not 401."""
        monkeypatch.setattr("authn.keys.TIMEOUT_SECONDS", 0.05)
        keys = KeySet(gate.fetch, clock=clock)
        ask(keys, issuer.kid)
        clock.advance(COOLDOWN_SECONDS)
        gate.opened.clear()
        seconds_to_next_attempt = keys._seconds_to_next_attempt

        def arrive_now() -> int:
            gate.opened.set()
            time.sleep(0.05)
            return seconds_to_next_attempt()

        monkeypatch.setattr(keys, "_seconds_to_next_attempt", arrive_now)
        with pytest.raises(KeysUnavailable):
            ask(keys, issuer.rotate())

    def test_made_up_kids_and_a_slow_issuer_hold_two_threads_at_most(
        self, gate: Gate, issuer: Issuer, clock: Clock
    ) -> None:
        keys = KeySet(gate.fetch, clock=clock)
        ask(keys, issuer.kid)
        clock.advance(COOLDOWN_SECONDS)
        gate.opened.clear()
        with ThreadPoolExecutor(MAX_WAITING) as pool:
            waiting = [pool.submit(ask, keys, "made-up") for _ in range(MAX_WAITING)]
            wait_until(lambda: keys._waiting == MAX_WAITING)
            with pytest.raises(KeysUnavailable) as caught:
                ask(keys, "one more")
            assert caught.value.retry_after_seconds == 1
            assert ask(keys, issuer.kid)
            gate.opened.set()
            assert all(isinstance(answer.exception(), KeyUnknown) for answer in waiting)

    def test_a_request_waits_no_longer_than_the_fetch_timeout(
        self, gate: Gate, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("authn.keys.TIMEOUT_SECONDS", 0.05)
        gate.opened.clear()
        with pytest.raises(KeysUnavailable):
            ask(KeySet(gate.fetch, clock=clock), "any")

    def test_a_thread_that_cannot_start_is_a_failed_fetch(
        self, keys: KeySet, issuer: Issuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def start(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        ask(keys, issuer.kid)
        clock.advance(COOLDOWN_SECONDS)
        new = issuer.rotate()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            with pytest.raises(KeysUnavailable):
                ask(keys, new)
        clock.advance(COOLDOWN_SECONDS)
        assert ask(keys, new)

    def test_an_exception_in_the_thread_is_a_failed_fetch(
        self, issuer: Issuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash() -> bytes:
            raise MemoryError

        crashes: list[threading.ExceptHookArgs] = []
        monkeypatch.setattr(threading, "excepthook", crashes.append)
        keys = KeySet(crash, clock=clock)
        with pytest.raises(KeysUnavailable):
            ask(keys, issuer.kid)
        wait_until(lambda: crashes)
        keys._fetch = issuer.fetch
        clock.advance(COOLDOWN_SECONDS)
        assert ask(keys, issuer.kid)


def test_the_limits_are_the_documented_ones(issuer: Issuer) -> None:
    assert (REFRESH_AFTER_SECONDS, MAX_AGE_SECONDS, GRACE_SECONDS) == (480, 600, 3600)
    assert (COOLDOWN_SECONDS, MAX_WAITING, TIMEOUT_SECONDS) == (10, 2, 3)
    assert KeySet(issuer.fetch)._clock is time.monotonic


def test_require_any_fetches_the_keys(keys: KeySet, issuer: Issuer, clock: Clock) -> None:
    issuer.broken = True
    with pytest.raises(KeysUnavailable) as error:
        keys.require_any()
    assert error.value.retry_after_seconds == COOLDOWN_SECONDS
    issuer.broken = False
    clock.advance(COOLDOWN_SECONDS)
    keys.require_any()
    clock.advance(COOLDOWN_SECONDS)
    keys.require_any()
    assert issuer.fetches == 2


def test_retry_after_is_one_second_once_the_cooldown_is_over(clock: Clock) -> None:
    def fail_late() -> bytes:
        clock.advance(15)
        raise KeySetInvalid("late")

    with pytest.raises(KeysUnavailable) as caught:
        ask(KeySet(fail_late, clock=clock), "any")
    assert caught.value.retry_after_seconds == 1


@pytest.mark.parametrize("kid", [None, "anything"])
def test_the_secret_serves_any_kid(kid: str | None) -> None:
    key = SecretKey(b"secret").key_for(kid=kid, algorithm="HS256")
    assert (key.value, key.algorithm) == (b"secret", "HS256")
