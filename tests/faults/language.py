"""The language of the fault tests."""

from __future__ import annotations

import logging
import time

from api.errors.exceptions import DatabaseUnavailable
from authn.testing import SECRET, Clock, SecretIssuer
from tests.faults.load import Attempt, outcomes
from tests.support.processes import wait_until

logger = logging.getLogger(__name__)

TEST_SECONDS = 90
TOLERABLE_SECONDS = 5  # for an answer, whatever is broken
UNLIMITED = {"THROTTLE_USER": "1000000/min", "THROTTLE_ANON": "1000000/min"}
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "instance"}
UNAVAILABLE = "503 database_unavailable"


def token_of(sub: str) -> str:
    return SecretIssuer(SECRET, clock=Clock(time.time())).mint(sub=sub)


def assert_answered_or_unavailable(attempts: list[Attempt]) -> None:
    assert {*outcomes(attempts)} == {"201", "200", UNAVAILABLE}
    for attempt in attempts:
        assert attempt.seconds < TOLERABLE_SECONDS
        if attempt.answer and attempt.outcome == UNAVAILABLE:
            assert 1 <= int(attempt.answer.headers["retry-after"]) <= 60
            assert {*attempt.answer.data} == PROBLEM_MEMBERS
            assert attempt.answer.data["detail"] == DatabaseUnavailable.default_detail


def note(attempts: list[Attempt]) -> None:
    slowest = max(each.seconds for each in attempts)
    logger.info("%s, the slowest in %.2f s", dict(outcomes(attempts)), slowest)


def wait_for_writes(attempts: list[Attempt], count: int) -> None:
    """Wait until ``count`` more writes have succeeded."""
    start = len(attempts)
    wait_until(lambda: sum(bool(each.todos) for each in attempts[start:]) >= count)


def wait_for_refusals(attempts: list[Attempt], count: int) -> None:
    """Wait until each of the last ``count`` writes is 503."""
    wait_until(lambda: {*outcomes(attempts[-count:])} == {UNAVAILABLE} and len(attempts) >= count)
