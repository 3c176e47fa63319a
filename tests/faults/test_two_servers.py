"""Two servers share one PostgreSQL and one Redis, which stops."""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest

from authn.testing import SECRET
from tests.faults.language import token_of
from tests.faults.load import all_todos
from tests.faults.services import Redis
from tests.support.postgresql import Cluster
from tests.support.processes import Answer, Api, Servers, wait_until

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.faults


class TestTwoServers:
    """Return two servers with one PostgreSQL and one Redis."""

    LIMIT = 30

    @pytest.fixture
    def pair(self, servers: Servers, database: Cluster, redis: Redis) -> tuple[Api, Api]:
        seconds_left = 3600 - time.time() % 3600
        if seconds_left < 45:  # counters start anew with the hour
            time.sleep(seconds_left)
        shared = {
            "DATABASE_URL": database.new_database(),
            "CACHE_URL": f"redis://127.0.0.1:{redis.port}/0",
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "THROTTLE_USER": f"{self.LIMIT}/h",
        }
        return servers.api(secret=SECRET, **shared), servers.api(secret=SECRET, **shared)

    def test_allowances_idempotency_keys_and_etags_hold_across_servers(
        self, pair: tuple[Api, Api]
    ) -> None:
        self.check_throttle(pair, token_of("alice"))
        self.check_idempotency(pair, token_of("bob"))
        self.check_if_match(pair, token_of("carol"))

    def check_throttle(self, pair: tuple[Api, Api], token: str) -> None:
        statuses = [api.get("/api/todos/", token).status for _ in range(20) for api in pair]
        assert statuses == [200] * self.LIMIT + [429] * (40 - self.LIMIT)

    def check_idempotency(self, pair: tuple[Api, Api], token: str) -> None:
        def post(api: Api) -> Answer:
            return api.send(
                "POST", "/api/todos/", token, {"title": "Once"}, **{"Idempotency-Key": "one"}
            )

        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(post, pair * 5))
        assert {answer.outcome for answer in answers} <= {"201", "409 idempotency_key_in_flight"}
        made = [answer for answer in answers if answer.status == 201]
        repeats = [post(api) for api in pair]
        assert {answer.body for answer in [*made, *repeats]} == {made[0].body}
        assert sum("idempotency-replayed" not in answer.headers for answer in made) == 1
        assert [answer.headers["idempotency-replayed"] for answer in repeats] == ["true", "true"]
        assert len([*all_todos(pair[0], token)]) == 1

    def check_if_match(self, pair: tuple[Api, Api], token: str) -> None:
        todo = pair[0].post("/api/todos/", token, {"title": "First"}).data

        def patch(number: int) -> Answer:
            fields, path = {"title": f"Number {number}"}, f"/api/todos/{todo['id']}/"
            headers = {"If-Match": todo["etag"]}
            return pair[number % 2].send("PATCH", path, token, fields, **headers)

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(patch, range(20)))
        assert Counter(answer.status for answer in answers) == {200: 1, 412: 19}
        [winner] = [answer.data for answer in answers if answer.status == 200]
        assert [*all_todos(pair[1], token)] == [winner]

    def test_without_redis_no_request_is_throttled(
        self, pair: tuple[Api, Api], redis: Redis
    ) -> None:
        token = token_of("alice")
        assert "ratelimit" in pair[0].get("/api/todos/", token).headers
        redis.stop()
        stopped = self.ask_for(3, pair, token)
        assert len(stopped) > self.LIMIT
        redis.start()
        wait_until(lambda: all("ratelimit" in api.me(token).headers for api in pair))
        redis.suspend()
        hanging = self.ask_for(3, pair, token)
        redis.resume()
        for statuses in (stopped, hanging):
            assert {status for status, _ in statuses} == {200}
            assert max(seconds for _, seconds in statuses) < 1
            logger.info("%d passed, the slowest in %.2f s", len(statuses), max(statuses)[1])
        wait_until(lambda: all("ratelimit" in api.me(token).headers for api in pair))
        wait_until(lambda: {api.get("/api/todos/", token).status for api in pair} == {429})
        for api in pair:
            assert api.log().count("Nothing is throttled") == 1, api.log()

    def ask_for(self, seconds: float, pair: tuple[Api, Api], token: str) -> list[tuple[int, float]]:
        """Return the statuses of requests to both servers, and their durations."""
        answers = []
        start = now = time.monotonic()
        for api in cycle(pair):
            answer = api.get("/api/todos/", token)
            answers.append((answer.status, -now + (now := time.monotonic())))
            if now > start + seconds:
                break
        return answers
