"""Counters: exact for simultaneous requests, and off while the cache fails."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from pytest_django import Settings
from redis.exceptions import ResponseError

from api.throttling import counters
from authn.testing import Clock

THREADS = 40
PASSWORD = "open-sesame"


def test_simultaneous_requests_are_each_counted_once() -> None:
    start = Barrier(THREADS)

    def count(_: int) -> int | None:
        start.wait()
        return counters.increment("key", lifetime_seconds=60)

    with ThreadPoolExecutor(THREADS) as threads:
        assert set(threads.map(count, range(THREADS))) == set(range(1, THREADS + 1))
    assert counters.next_count("key") == THREADS + 1


def test_two_requests_that_start_a_counter_count_as_two(monkeypatch: pytest.MonkeyPatch) -> None:
    add = LocMemCache.add

    def add_too_late(self: LocMemCache, *args: Any, **options: Any) -> bool:
        assert add(self, *args, **options)
        return add(self, *args, **options)

    monkeypatch.setattr(LocMemCache, "add", add_too_late)
    assert counters.increment("key", lifetime_seconds=60) == 2


def test_a_counter_expires() -> None:
    counters.increment("key", lifetime_seconds=0)
    assert counters.next_count("key") == 1


def test_counters_outnumber_the_default_limit_of_djangos_cache() -> None:
    assert cache._max_entries >= 100_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(counters, "_outage", counters.Outage(clock))
    return clock


@pytest.fixture
def _redis_down(settings: Settings) -> Iterator[None]:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": [f"redis://:{PASSWORD}@127.0.0.1:{deaf.getsockname()[1]}/0"],
            }
        }
        yield


@pytest.mark.usefixtures("_redis_down")
class TestWithoutACache:
    def test_no_request_is_throttled(
        self, settings: Settings, clock: Clock, alice: Client, anonymous: Client
    ) -> None:
        settings.THROTTLE_USER = settings.THROTTLE_ANON = settings.THROTTLE_REFUSED = (1, 60)
        for _ in range(3):
            for client, status in ((alice, 200), (anonymous, 401)):
                response = client.get("/api/me/")
                assert response.status_code == status
                assert "RateLimit" not in response
                assert "RateLimit-Policy" not in response
            clock.advance(counters.REST_SECONDS)

    def test_the_failure_is_logged_once_a_minute(
        self, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(60):
            assert counters.increment("key", lifetime_seconds=60) is None
            clock.advance(1)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "ConnectionError" in caplog.text
        assert counters.next_count("key") is None
        assert len(caplog.records) == 2

    def test_counting_resumes_with_the_cache(self, settings: Settings, clock: Clock) -> None:
        assert counters.increment("key", lifetime_seconds=60) is None
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        assert counters.increment("key", lifetime_seconds=60) is None
        clock.advance(counters.REST_SECONDS)
        assert counters.increment("key", lifetime_seconds=60) == 1


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("error", [ResponseError(f"NOAUTH {PASSWORD}"), TimeoutError(PASSWORD)])
def test_a_failing_redis_is_asked_once_and_its_answer_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    asked = []

    def fail(self: LocMemCache, key: str) -> int:
        asked.append(key)
        raise error

    monkeypatch.setattr(LocMemCache, "incr", fail)
    with caplog.at_level(logging.DEBUG):
        for _ in range(10):
            assert counters.increment("key", lifetime_seconds=60) is None
    assert len(asked) == 1
    assert PASSWORD not in caplog.text
