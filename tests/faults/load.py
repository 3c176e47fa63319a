"""Run clients that write without pause and remember every answer."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from tests.support.processes import PROJECT, Answer, Api, repeating, run

logger = logging.getLogger(__name__)

CLIENTS = 6
PAUSE_SECONDS = 0.02
RETRY_SECONDS = 0.2  # after a failure
BATCH_SIZE = 5
KINDS = [(1, True), (BATCH_SIZE, True), (BATCH_SIZE, False)]  # sizes, and whether with a key
BROKEN = "broken"  # there was no answer


@dataclass(frozen=True, slots=True)
class Write:
    """A request that creates one todo, or a batch that creates five.

    Its name is the tag of its todos, and its Idempotency-Key if it has one.
    """

    name: str
    size: int
    has_key: bool = True

    @property
    def path(self) -> str:
        return "/api/todos/" if self.size == 1 else "/api/todos/batch/"

    @property
    def body(self) -> Mapping[str, Any]:
        todos = [{"title": f"{number}", "tags": [self.name]} for number in range(self.size)]
        if self.size == 1:
            return todos[0]
        return {"operations": [{"op": "create", **todo} for todo in todos]}

    def send(self, api: Api, token: str) -> Answer:
        headers = {"Idempotency-Key": self.name} if self.has_key else {}
        return api.send("POST", self.path, token, self.body, **headers)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A write and its answer, or ``None`` without one."""

    write: Write
    answer: Answer | None = field(repr=False)
    outcome: str
    ended_at: float
    seconds: float

    @property
    def todos(self) -> list[Any]:
        """Return the todos that the client may rely on."""
        if self.answer is None or self.answer.status >= 300:
            return []
        data = self.answer.data
        return [data] if self.write.size == 1 else list(data["results"])


@contextmanager
def load(api: Api, token: str) -> Iterator[list[Attempt]]:
    """Write until the block ends."""
    attempts: list[Attempt] = []

    def write_on() -> Iterator[None]:
        for size, has_key in cycle(KINDS):
            attempt = _attempt(Write(str(uuid4()), size, has_key), api, token)
            attempts.append(attempt)
            if not attempt.todos:
                time.sleep(RETRY_SECONDS)
            yield

    clients = [partial(next, write_on()) for _ in range(CLIENTS)]
    with repeating(*clients, pause_seconds=PAUSE_SECONDS):
        yield attempts


def _attempt(write: Write, api: Api, token: str) -> Attempt:
    start = time.monotonic()
    try:
        answer = write.send(api, token)
        outcome = answer.outcome
    except (OSError, HTTPException):
        answer, outcome = None, BROKEN
    end = time.monotonic()
    return Attempt(write, answer, outcome, ended_at=end, seconds=end - start)


def outcomes(attempts: Iterable[Attempt]) -> Counter[str]:
    return Counter(each.outcome for each in attempts)


def assert_kept(api: Api, token: str, attempts: Iterable[Attempt]) -> None:
    """Assert that every acknowledged write is complete, and that no batch is partial."""
    todos = {todo["id"]: todo for todo in all_todos(api, token)}
    made = Counter(todo["tags"][0] for todo in todos.values())
    for attempt in attempts:
        for todo in attempt.todos:
            assert todos.get(todo["id"]) == todo, f"acknowledged and lost: {todo}"
        assert made[attempt.write.name] in (0, attempt.write.size), attempt


def assert_repeatable(
    api: Api, token: str, attempts: Iterable[Attempt], *, within: Sequence[str] = ()
) -> None:
    """Send every write again, answered or not. No todo may be created twice.

    A key whose request died is free again when that request is a minute old.
    """
    undecided = []
    attempts = [attempt for attempt in attempts if attempt.write.has_key]
    for attempt in attempts:
        answer = attempt.write.send(api, token)
        if attempt.todos:
            assert attempt.answer is not None
            assert (answer.status, answer.body) == (attempt.answer.status, attempt.answer.body)
            assert answer.headers["idempotency-replayed"] == "true"
        elif answer.status >= 300:
            assert answer.outcome == "409 idempotency_key_in_flight"
            undecided.append(attempt.write)
    make_a_minute_pass(api, within)
    for write in undecided:
        assert write.send(api, token).status < 300
    made = Counter(todo["tags"][0] for todo in all_todos(api, token))
    for attempt in attempts:
        assert made[attempt.write.name] == attempt.write.size
    logger.info("%d sent again, %d of them still in flight", len(attempts), len(undecided))


def make_a_minute_pass(api: Api, within: Sequence[str]) -> None:
    """Make the keys without an answer a minute older, and no others."""
    script = (
        "from api.models import *; from django.db.models import F; "
        "IdempotencyKey.objects.filter(status=None)"
        ".update(claimed_at=F('claimed_at') - ABANDONED_AFTER)"
    )
    command = [*within, sys.executable, "manage.py", "shell", "-c", script]
    run(command, PROJECT, api.environment)


def all_todos(api: Api, token: str) -> Iterator[Any]:
    next_page = "/api/todos/?limit=200"
    while next_page:
        answer = api.get(next_page, token)
        assert answer.status == 200, answer.outcome
        yield from answer.data["results"]
        parts = urlsplit(answer.data["next"] or "")
        next_page = parts.path and f"{parts.path}?{parts.query}"
