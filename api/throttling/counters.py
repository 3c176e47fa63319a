"""Counters in Django's cache. While the cache fails, nothing is counted."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from threading import Lock

from django.core.cache import cache

logger = logging.getLogger(__name__)

REST_SECONDS = 1
LOG_INTERVAL_SECONDS = 60


class Outage:
    """The last failure of the cache.

    For a second after it, no request asks the cache: each would wait for its timeout.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._rest_until = self._quiet_until = -math.inf

    def is_recent(self) -> bool:
        return self._clock() < self._rest_until

    def begin(self, error: Exception) -> None:
        """Note a failure, and log one in a minute."""
        with self._lock:
            now = self._clock()
            self._rest_until = now + REST_SECONDS
            if now < self._quiet_until:
                return
            self._quiet_until = now + LOG_INTERVAL_SECONDS
        # Not its text, in which a server may quote a password.
        logger.warning("Nothing is throttled, the cache fails: %s", type(error).__name__)


_outage = Outage()


def increment(key: str, *, lifetime_seconds: int) -> int | None:
    """Add one and return the count. Return ``None`` while the cache fails."""

    def count() -> int:
        try:
            return cache.incr(key)
        except ValueError:
            # One of several simultaneous requests adds the key.
            return 1 if cache.add(key, 1, lifetime_seconds) else cache.incr(key)

    return _unless_down(count)


def next_count(key: str) -> int | None:
    """Return what ``increment`` would return, and count nothing."""
    return _unless_down(lambda: cache.get(key, 0) + 1)


def _failures() -> tuple[type[Exception], ...]:
    # Imported after a failure: without Redis, no process loads its client.
    from redis.exceptions import RedisError

    return (RedisError, OSError)


def _unless_down(ask: Callable[[], int]) -> int | None:
    if _outage.is_recent():
        return None
    try:
        return ask()
    except _failures() as error:
        _outage.begin(error)
        return None
