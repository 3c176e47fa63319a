"""Copies of all todos, while many clients write at two servers of one database."""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from uuid import uuid4

import pytest

from authn.testing import SECRET
from tests.faults.language import UNLIMITED, token_of
from tests.faults.load import BROKEN, all_todos, make_a_minute_pass
from tests.faults.replicating import IN_FLIGHT, KNOWN_IDS, Device, Poller, Writer
from tests.support.postgresql import Cluster
from tests.support.processes import Api, Servers, repeating

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.faults

SECONDS = 15
PURGE_EVERY_SECONDS = 2
WRITERS = 20
LIMITS = (1, 5, 20, 50)  # of the pollers
ANSWERS = {
    *("200", "201", "204", "400 validation_failed"),
    *("404 not_found", "412 precondition_failed"),
}
# Makes the trash two days older, except the latest changes. Locks the owner, as a writer does.
AGE = """
BEGIN;
UPDATE api_changecounter SET value = value;
UPDATE todos_todo SET deleted_at = deleted_at - interval '2 days',
    updated_at = updated_at - interval '2 days'
FROM api_changecounter counter
WHERE counter.owner_id = todos_todo.owner_id AND deleted_at IS NOT NULL
    AND change_number <= value - {latest};
COMMIT
"""


@pytest.fixture
def token() -> str:
    return token_of("alice")


@pytest.fixture
def url(database: Cluster) -> str:
    return database.new_database()


@pytest.fixture
def pair(servers: Servers, url: str) -> tuple[Api, Api]:
    """Return two servers with one PostgreSQL."""
    shared = {
        "DATABASE_URL": url,
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "TRASH_DAYS": "1",
        **UNLIMITED,
    }
    return servers.api(secret=SECRET, **shared), servers.api(secret=SECRET, **shared)


@pytest.fixture
def pollers(pair: tuple[Api, Api], token: str) -> list[Poller]:
    return [
        Poller(Device(pair, token, number=number), limit=limit)
        for number, limit in enumerate(LIMITS)
    ]


@pytest.fixture
def writers(pair: tuple[Api, Api], token: str, pollers: list[Poller]) -> list[Writer]:
    ids = deque([str(uuid4())], KNOWN_IDS)
    return [
        Writer(Device(pair, token, number=number), ids, pollers, seed=number)
        for number in range(len(LIMITS), len(LIMITS) + WRITERS)
    ]


@pytest.fixture
def purge(database: Cluster, url: str) -> Callable[[Api], None]:
    """Let days pass for the trash, in turn for all of it and for all but the latest, then purge."""
    latest = cycle((0, 200))

    def purge(api: Api) -> None:
        database.psql(AGE.format(latest=next(latest)), url)
        api.manage("purge")

    return purge


@contextmanager
def busy(writers: list[Writer], pollers: list[Poller]) -> Iterator[None]:
    with repeating(*(each.write for each in writers), *(each.poll for each in pollers)):
        yield


def test_replicas_of_two_servers_miss_nothing(
    pair: tuple[Api, Api],
    token: str,
    writers: list[Writer],
    pollers: list[Poller],
    purge: Callable[[Api], None],
) -> None:
    with busy(writers, pollers):
        purge_for(SECONDS, pair[0], purge)
    assert_equal(pair, token, pollers)
    note(writers, pollers)
    assert {*written(writers)} <= ANSWERS


def test_replicas_miss_nothing_while_a_server_is_killed(
    pair: tuple[Api, Api],
    token: str,
    writers: list[Writer],
    pollers: list[Poller],
    purge: Callable[[Api], None],
) -> None:
    with busy(writers, pollers):
        purge_for(SECONDS / 2, pair[1], purge)
        pair[0].kill()
        pair[0].start()
        purge_for(SECONDS / 2, pair[1], purge)
    make_a_minute_pass(pair[0], ())
    for writer in writers:
        writer.write_undecided()
    assert_equal(pair, token, pollers)
    note(writers, pollers)
    assert BROKEN in written(writers)
    # A repeat without a key may come after the change of another writer.
    assert {*written(writers)} <= ANSWERS | {BROKEN, IN_FLIGHT, "409 id_taken"}


def purge_for(seconds: float, api: Api, purge: Callable[[Api], None]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(PURGE_EVERY_SECONDS)
        purge(api)


def written(writers: list[Writer]) -> Counter[str]:
    return sum((each.device.outcomes for each in writers), Counter())


def assert_equal(pair: tuple[Api, Api], token: str, pollers: list[Poller]) -> None:
    """Assert that each copy, and a new one, has what the lists of both servers have."""
    newcomer = Poller(Device(pair, token, number=0), limit=50)
    for poller in [*pollers, newcomer]:
        poller.drain()
    for api in pair:
        todos = {todo["id"]: todo for todo in all_todos(api, token)}
        assert todos
        for poller in [*pollers, newcomer]:
            ids = todos.keys() | poller.todos.keys()
            missed = [each for each in ids if todos.get(each) != poller.todos.get(each)]
            assert not missed, f"{len(missed)} of {len(todos)} missed: {missed[:5]}"


def note(writers: list[Writer], pollers: list[Poller]) -> None:
    polls = sum((each.device.outcomes for each in pollers), Counter[str]())
    conflicts = sum(each.conflicts for each in writers)
    rejected = sum(each.rejected for each in writers)
    logger.info(
        "writes %s, conflicts %d, rejected %d; polls %s; %d todos",
        *(dict(written(writers)), conflicts, rejected, dict(polls), len(pollers[0].todos)),
    )
