"""The issuer is slow, down or lies."""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from tests.faults import stub_issuer
from tests.faults.language import TOLERABLE_SECONDS, UNLIMITED
from tests.faults.stub_issuer import Behaviour, StubIssuer
from tests.support.processes import Answer, Api, Servers, repeating, wait_until

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.faults

KNOWN_CLIENTS = 4
UNKNOWN_CLIENTS = 8
COOLDOWN_SECONDS = 10
FETCH_SECONDS = 3
NOTICED_SECONDS = 0.1  # until a test knows that a fetch has begun
FLOOR_SECONDS = 0.05  # below which a busy machine differs from itself

Timed = tuple[float, float, Answer]  # when it began, how long it took


@pytest.fixture(scope="class")
def issuer() -> Iterator[StubIssuer]:
    with stub_issuer.stub_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="class")
def trusting(directory: Path, migrated: Path, issuer: StubIssuer) -> Iterator[Api]:
    """A server of one process, which knows the issuer's key."""
    with Servers(directory, migrated) as servers:
        api = servers.api(BETTER_AUTH_URL=issuer.url, LOG_LEVEL="WARNING", **UNLIMITED)
        assert api.me(issuer.issuer.mint()).status == 200
        yield api


class TestIssuer:
    """Eight clients make up kids and four have a valid token while the issuer fails."""

    @pytest.mark.parametrize(
        "behaviour",
        [
            stub_issuer.slow,
            None,
            stub_issuer.html,
            stub_issuer.garbage,
            stub_issuer.huge,
            stub_issuer.redirect,
            stub_issuer.only_bad_keys,
        ],
        ids=lambda behaviour: behaviour.__name__ if behaviour else "down",
    )
    def test_known_keys_work_and_unknown_keys_are_503(
        self, trusting: Api, issuer: StubIssuer, behaviour: Behaviour | None
    ) -> None:
        unknown = self.measure(trusting, issuer, behaviour)
        for answer in unknown:
            assert answer.outcome == "503 keys_unavailable"
            assert 1 <= int(answer.headers["retry-after"]) <= COOLDOWN_SECONDS

    def test_bad_neighbours_of_a_good_key_are_skipped(
        self, trusting: Api, issuer: StubIssuer
    ) -> None:
        new = issuer.issuer.rotate()
        unknown = self.measure(trusting, issuer, stub_issuer.bad_neighbours)
        assert unknown[-1].outcome == "401 key_unknown"
        assert trusting.me(issuer.issuer.mint(kid=new)).status == 200

    def measure(self, api: Api, issuer: StubIssuer, behaviour: Behaviour | None) -> list[Answer]:
        """Return the answers to unknown kids after the next fetch.

        Requests with known keys must take no longer during the fetch than before.
        """
        set_behaviour(issuer, behaviour)
        failures = api.log().count("was not refreshed")
        fetches = len(issuer.fetches)
        good = cycle([issuer.issuer.mint(kid=first_kid(issuer))])
        made_up = iter(lambda: issuer.issuer.mint(header={"kid": secrets.token_hex(8)}), "")
        with asking(api, good, KNOWN_CLIENTS, pause_seconds=0.005) as known:
            time.sleep(1)
            with asking(api, made_up, UNKNOWN_CLIENTS, pause_seconds=0.1) as unknown:
                wait_until(
                    lambda: (
                        len(issuer.fetches) > fetches
                        or api.log().count("was not refreshed") > failures
                    )
                )
                fetched_at = time.monotonic() - NOTICED_SECONDS
                time.sleep(FETCH_SECONDS + 0.5)
        assert {answer.outcome for _, _, answer in known} == {"200"}
        quiet = [seconds for start, seconds, _ in known if start + seconds < fetched_at]
        during = [seconds for start, seconds, _ in known if start + seconds >= fetched_at]
        for name, times in (("Quiet", quiet), ("Meanwhile", during)):
            p99, slowest = percentile(times) * 1000, max(times) * 1000
            logger.info("%s: p99 %.0f ms of %d, at most %.0f", name, p99, len(times), slowest)
        assert len(during) > 100
        assert percentile(during) <= max(2 * percentile(quiet), FLOOR_SECONDS)
        assert max(seconds for _, seconds, _ in unknown) < TOLERABLE_SECONDS
        unknown.sort(key=lambda timed: timed[0])
        return [answer for start, _, answer in unknown if start > fetched_at + 2 * NOTICED_SECONDS]


def set_behaviour(issuer: StubIssuer, behaviour: Behaviour | None) -> None:
    if behaviour is None:
        issuer.refuse_connections()
    else:
        issuer.behave = behaviour
        issuer.listen()


def first_kid(issuer: StubIssuer) -> str:
    return next(iter(issuer.issuer.keys))


@contextmanager
def asking(
    api: Api, tokens: Iterator[str], clients: int, *, pause_seconds: float
) -> Iterator[list[Timed]]:
    """Send requests from each client until the block ends."""
    answers: list[Timed] = []
    taking_a_token = threading.Lock()

    def ask() -> None:
        with taking_a_token:
            token = next(tokens)
        start = time.monotonic()
        answer = api.me(token)
        answers.append((start, time.monotonic() - start, answer))

    with repeating(*[ask] * clients, pause_seconds=pause_seconds):
        yield answers


def percentile(seconds: list[float], share: float = 0.99) -> float:
    return sorted(seconds)[math.ceil(len(seconds) * share) - 1]
