"""Counters that every process shares where the cache does, and nobody needs to live."""

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
    """The last time that the cache failed.

    For a second after it nobody asks the cache, or each request would wait for it to time out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._rest_until = self._quiet_until = -math.inf

    def is_recent(self) -> bool:
        return self._clock() < self._rest_until

    def begin(self, error: Exception) -> None:
        """Take note of a failure, and log it unless that was done within the last minute."""
        with self._lock:
            now = self._clock()
            self._rest_until = now + REST_SECONDS
            if now < self._quiet_until:
                return
            self._quiet_until = now + LOG_INTERVAL_SECONDS
        # Its kind only: what a server answered may quote a password.
        logger.warning("Nothing is throttled, the cache fails: %s", type(error).__name__)


_outage = Outage()


def increment(key: str, *, lifetime_seconds: int) -> int | None:
    """Count one; the count so far, itself included. ``None`` while the cache is down."""

    def count() -> int:
        try:
            return cache.incr(key)
        except ValueError:
            # Whoever adds it first has counted; the others count on.
            return 1 if cache.add(key, 1, lifetime_seconds) else cache.incr(key)

    return _unless_down(count)


def read(key: str) -> int | None:
    """The count so far. ``None`` while the cache is down."""
    return _unless_down(lambda: cache.get(key, 0))


def _failures() -> tuple[type[Exception], ...]:
    """Asked for when something was raised: without a Redis, nobody waits for its client to load."""
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
