"""Find the key of a token: in the issuer's key set, which is cached here, or the secret.

The age of a key set counts from the start of its fetch:

    fresh    under 8 minutes        served
    ageing   8 to 10 minutes        served; a request starts a fetch in the background
    stale    10 to 70 minutes       served likewise, because the issuer does not answer
    dead     over 70 minutes        not served; requests wait for a fetch, or get 503
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Protocol

from authn.exceptions import (
    AlgorithmUnsupported,
    KeyAmbiguous,
    KeySetInvalid,
    KeysPending,
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
# Requests that may wait for a whole fetch. Made-up kids and a slow issuer could otherwise hold
# each of a worker's four threads, which requests with known keys need.
MAX_WAITING = 2
BRIEFLY_SECONDS = 0.25  # the wait of the other requests: the time of a fetch without trouble
SECRET_ALGORITHMS = frozenset({"HS256"})


class KeySource(Protocol):
    def key_for(self, *, kid: str | None, algorithm: str, may_wait: bool = True) -> VerificationKey:
        """Return the key for a token with this header.

        A token that an equal key has verified is not verified again. Raises ``TokenRejected`` if
        the source has no such key, and ``KeysUnavailable`` if it cannot tell now. Without
        ``may_wait`` it raises ``KeysPending`` where it would wait.
        """

    def require_any(self) -> None:
        """Raise ``KeysUnavailable`` if the source has no key at all now."""

    def age_seconds(self) -> float | None:
        """Return the time since the start of the last good fetch; ``None`` without one."""


class SecretKey:
    """The shared secret as the key of every HS256 token, whatever its ``kid``."""

    def __init__(self, secret: bytes) -> None:
        self._key = VerificationKey(secret, "HS256")

    def key_for(self, *, kid: str | None, algorithm: str, may_wait: bool = True) -> VerificationKey:
        return self._key

    def require_any(self) -> None:
        """Accept: the secret is always there."""

    def age_seconds(self) -> None:
        """Return ``None``: the secret is not fetched."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The keys of one fetch. Replaced as a whole, so that readers need no lock."""

    keys: Sequence[VerificationKey]
    by_kid: Mapping[str | None, VerificationKey]
    fetched_at: float

    def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        if kid is not None:
            key = self.by_kid.get(kid)
            if key is not None and key.algorithm != algorithm:
                raise AlgorithmUnsupported
            return key
        fitting = [key for key in self.keys if key.algorithm == algorithm]
        if len(fitting) > 1:
            raise KeyAmbiguous
        return fitting[0] if fitting else None


class KeySet:
    """The issuer's keys. Safe to share between threads.

    ``fetch`` returns a JWKS document or raises ``KeySetInvalid``. It runs in its own thread, one
    call at a time and at most one in ten seconds. ``clock`` is monotonic seconds, so that a wall
    clock that jumps cannot age a key.
    """

    def __init__(
        self, fetch: Callable[[], bytes], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._changed = Condition()  # guards writes to the attributes below
        self._snapshot: _Snapshot | None = None
        self._fetcher: Thread | None = None
        self._fetched: Future[None] = Future()  # of the newest fetch
        self._attempted_at = -math.inf
        self._attempt_failed = False
        self._waiting = 0

    def key_for(self, *, kid: str | None, algorithm: str, may_wait: bool = True) -> VerificationKey:
        snapshot = self._served_snapshot()
        if snapshot and (key := snapshot.find(kid, algorithm)):
            return key
        return self._key_after_fetch(kid, algorithm, may_wait=may_wait)

    def require_any(self) -> None:
        if self._served_snapshot():
            return
        with self._changed:
            self._start_fetch()
            self._wait_for_fetch()
            if not self._living_snapshot():
                raise KeysUnavailable(retry_after_seconds=self._seconds_to_next_attempt())

    def age_seconds(self) -> float | None:
        snapshot = self._snapshot
        return None if snapshot is None else self._clock() - snapshot.fetched_at

    def _key_after_fetch(
        self, kid: str | None, algorithm: str, *, may_wait: bool
    ) -> VerificationKey:
        with self._changed:
            self._start_fetch()
            if may_wait:
                self._wait_for_fetch()
            elif self._is_fetching():
                raise KeysPending(self._fetched, retry_after_seconds=1)
            snapshot = self._living_snapshot()
            if snapshot and (key := snapshot.find(kid, algorithm)):
                return key
            if snapshot is None or self._is_fetching() or self._attempt_failed:
                raise KeysUnavailable(retry_after_seconds=self._seconds_to_next_attempt())
            raise KeyUnknown

    def _served_snapshot(self) -> _Snapshot | None:
        """Return the living snapshot, and start a fetch if it ages."""
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
        """Wait until no fetch runs or patience ends."""
        patience = TIMEOUT_SECONDS
        if self._waiting >= MAX_WAITING:
            patience = max(0.0, self._attempted_at + BRIEFLY_SECONDS - self._clock())
        self._waiting += 1
        try:
            self._changed.wait_for(lambda: not self._is_fetching(), timeout=patience)
        finally:
            self._waiting -= 1

    def _is_fetching(self) -> bool:
        # is_alive() is false for a thread that failed to start, or that a fork left behind.
        return self._fetcher is not None and self._fetcher.is_alive()

    def _start_fetch(self) -> None:
        now = self._clock()
        if self._is_fetching() or now - self._attempted_at < COOLDOWN_SECONDS:
            return
        self._attempted_at = now
        self._attempt_failed = True  # until _refresh() succeeds
        self._fetched = Future()
        self._fetched.set_running_or_notify_cancel()  # one who waits cannot cancel it
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
                    by_kid = {key.kid: key for key in keys}
                    self._snapshot = _Snapshot(keys, by_kid, started_at)
                    self._attempt_failed = False
                self._fetcher = None
                self._fetched.set_result(None)
                self._changed.notify_all()
