"""The issuer's key set, cached, and what verification asks of any source of keys.

A key set lives through four ages, counted from the start of the fetch that brought it:

    fresh    under 8 minutes        served
    ageing   8 to 10 minutes        served; a request starts a fetch in the background
    stale    10 to 70 minutes       the same: the issuer has not answered, known keys go on
    dead     over 70 minutes        not served; requests wait for a fetch, or get 503
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Protocol, Self

from authn.exceptions import (
    AlgorithmUnsupported,
    KeyAmbiguous,
    KeySetInvalid,
    KeysUnavailable,
    KeyUnknown,
)
from authn.fetching import TIMEOUT_SECONDS
from authn.jwks import VerificationKey, parse_key_set

logger = logging.getLogger(__name__)

REFRESH_AFTER_SECONDS = 8 * 60
MAX_AGE_SECONDS = 10 * 60
GRACE_SECONDS = 60 * 60
COOLDOWN_SECONDS = 10
# How many requests may wait for a fetch: tokens with made-up kids and a slow issuer would
# together hold every thread of the server, and with them those that need no fetch. A worker
# has four threads (config.asgi).
MAX_WAITING = 2
# How long the others may: as long as a fetch takes that goes well.
BRIEFLY_SECONDS = 0.25


class KeySource(Protocol):
    def key_for(self, *, kid: str | None, algorithm: str) -> VerificationKey:
        """The key that must have signed a token with this header.

        An equal key is the same key: a token that it has verified is not verified again.

        Raises ``TokenRejected`` where there is none, ``KeysUnavailable`` where that cannot
        be known now.
        """

    def require_any(self) -> None:
        """Raise ``KeysUnavailable`` where no token at all could be verified now."""

    def age_seconds(self) -> float | None:
        """Since the start of the fetch that brought the keys; ``None`` where none did."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The keys of one successful fetch. Replaced as a whole, so that readers need no lock.

    A key is found at once, however many there are.
    """

    by_kid: Mapping[str | None, VerificationKey]
    by_algorithm: Mapping[str, Sequence[VerificationKey]]
    fetched_at: float

    @classmethod
    def of(cls, keys: Sequence[VerificationKey], *, fetched_at: float) -> Self:
        by_algorithm: dict[str, list[VerificationKey]] = {}
        for key in keys:
            by_algorithm.setdefault(key.algorithm, []).append(key)
        by_kid = {key.kid: key for key in reversed(keys)}  # the first one stays
        return cls(by_kid, by_algorithm, fetched_at)

    def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        if kid is not None:
            key = self.by_kid.get(kid)
            if key is not None and key.algorithm != algorithm:
                raise AlgorithmUnsupported
            return key
        fitting = self.by_algorithm.get(algorithm, ())
        if len(fitting) > 1:
            raise KeyAmbiguous
        return fitting[0] if fitting else None


class KeySet:
    """The issuer's keys. Safe to share between threads.

    ``fetch`` returns the body of the JWKS document or raises ``KeySetInvalid``; it runs in
    a thread of its own, one at a time, and at most once in ten seconds whatever tokens
    arrive. ``clock`` is monotonic seconds: a wall clock that jumps must not age a key.
    """

    def __init__(
        self, fetch: Callable[[], bytes], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._changed = Condition()  # guards the writing of what follows
        self._snapshot: _Snapshot | None = None
        self._fetcher: Thread | None = None
        self._attempted_at = -math.inf
        self._attempt_failed = False
        self._waiting = 0

    def key_for(self, *, kid: str | None, algorithm: str) -> VerificationKey:
        snapshot = self._served_snapshot()
        if snapshot and (key := snapshot.find(kid, algorithm)):
            return key
        return self._key_after_fetch(kid, algorithm)

    def require_any(self) -> None:
        if self._served_snapshot():
            return
        with self._changed:
            self._wait_for_fetch()
            if not self._living_snapshot():
                raise KeysUnavailable(retry_after_seconds=self._seconds_to_next_attempt())

    def age_seconds(self) -> float | None:
        snapshot = self._snapshot
        return None if snapshot is None else self._clock() - snapshot.fetched_at

    def _key_after_fetch(self, kid: str | None, algorithm: str) -> VerificationKey:
        with self._changed:
            self._wait_for_fetch()
            snapshot = self._living_snapshot()
            if snapshot and (key := snapshot.find(kid, algorithm)):
                return key
            if snapshot is None or self._is_fetching() or self._attempt_failed:
                raise KeysUnavailable(retry_after_seconds=self._seconds_to_next_attempt())
            raise KeyUnknown

    def _served_snapshot(self) -> _Snapshot | None:
        """The living one. A fetch is under way where it ages."""
        snapshot = self._living_snapshot()
        if snapshot and self._clock() - snapshot.fetched_at >= REFRESH_AFTER_SECONDS:
            with self._changed:
                self._start_fetch()
        return snapshot

    def _living_snapshot(self) -> _Snapshot | None:
        snapshot = self._snapshot
        if snapshot and self._clock() - snapshot.fetched_at < MAX_AGE_SECONDS + GRACE_SECONDS:
            return snapshot
        return None

    def _seconds_to_next_attempt(self) -> int:
        if self._is_fetching():
            return 1
        return max(1, math.ceil(self._attempted_at + COOLDOWN_SECONDS - self._clock()))

    def _wait_for_fetch(self) -> None:
        """Return when the running fetch has ended, or when there is nothing to wait for."""
        self._start_fetch()
        patience = TIMEOUT_SECONDS
        if self._waiting >= MAX_WAITING:
            patience = max(0.0, self._attempted_at + BRIEFLY_SECONDS - self._clock())
        self._waiting += 1
        try:
            self._changed.wait_for(lambda: not self._is_fetching(), timeout=patience)
        finally:
            self._waiting -= 1

    def _is_fetching(self) -> bool:
        # A thread that never started, or was lost in a fork, fetches nothing.
        return self._fetcher is not None and self._fetcher.is_alive()

    def _start_fetch(self) -> None:
        now = self._clock()
        if self._is_fetching() or now - self._attempted_at < COOLDOWN_SECONDS:
            return
        self._attempted_at = now
        self._attempt_failed = True  # until it has succeeded
        self._fetcher = Thread(target=self._refresh, args=[now], name="key-set", daemon=True)
        try:
            self._fetcher.start()
        except RuntimeError as error:
            logger.warning("The key set was not refreshed: %s", error)

    def _refresh(self, started_at: float) -> None:
        keys: tuple[VerificationKey, ...] = ()
        try:
            keys = parse_key_set(self._fetch())
        except KeySetInvalid as reason:
            logger.warning("The key set was not refreshed: %s", reason)
        finally:
            with self._changed:
                if keys:
                    self._snapshot = _Snapshot.of(keys, fetched_at=started_at)
                    self._attempt_failed = False
                self._fetcher = None
                self._changed.notify_all()
