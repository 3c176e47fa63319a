"""Counting: exactly, by many at once, and not at all while the cache is down."""

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


def test_each_one_of_many_at_once_is_counted_once() -> None:
    start = Barrier(THREADS)

    def count(_: int) -> int | None:
        start.wait()
        return counters.increment("key", lifetime_seconds=60)

    with ThreadPoolExecutor(THREADS) as threads:
        assert set(threads.map(count, range(THREADS))) == set(range(1, THREADS + 1))
    assert counters.read("key") == THREADS


def test_two_that_start_the_same_counter_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    add = LocMemCache.add

    def add_too_late(self: LocMemCache, *args: Any, **options: Any) -> bool:
        assert add(self, *args, **options)
        return add(self, *args, **options)

    monkeypatch.setattr(LocMemCache, "add", add_too_late)
    assert counters.increment("key", lifetime_seconds=60) == 2


def test_a_counter_does_not_stay_for_ever() -> None:
    counters.increment("key", lifetime_seconds=0)
    assert counters.read("key") == 0


def test_more_clients_than_django_would_remember_are_remembered() -> None:
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
class TestWhileTheCacheIsDown:
    def test_everybody_is_let_through(
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

    def test_the_log_says_so_once_a_minute(
        self, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(60):
            assert counters.increment("key", lifetime_seconds=60) is None
            clock.advance(1)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "ConnectionError" in caplog.text
        assert counters.read("key") is None
        assert len(caplog.records) == 2

    def test_counting_goes_on_when_it_is_back(self, settings: Settings, clock: Clock) -> None:
        assert counters.increment("key", lifetime_seconds=60) is None
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        assert counters.increment("key", lifetime_seconds=60) is None
        clock.advance(counters.REST_SECONDS)
        assert counters.increment("key", lifetime_seconds=60) == 1


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("error", [ResponseError(f"NOAUTH {PASSWORD}"), TimeoutError(PASSWORD)])
def test_it_is_asked_once_and_no_answer_of_it_is_logged(
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
