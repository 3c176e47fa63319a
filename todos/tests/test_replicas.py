"""Whatever happens in whatever order, a client of ``changes/`` ends with what the server has."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Max
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from api.models import ChangeCounter
from api.owned.models import StaleRow
from authn.testing import Bearer, Mint
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.replicas import Replica, todos_of_alice
from todos.tests.simultaneously import simultaneously

LIVE = Todo.objects.filter(owner_id="alice", deleted_at=None)
TRASHED = Todo.objects.filter(owner_id="alice", deleted_at__isnull=False, erased_at=None)


def chosen(rows: Any, number: int) -> Any:
    """Return one of the rows, or a new one if there are none."""
    found = [*rows.order_by("pk")]
    return found[number % len(found)] if found else make_todo()


def purge() -> None:
    """Delete all rows in the trash for good, as the command ``purge`` does after a time."""
    rows = Todo.objects.filter(owner_id="alice", deleted_at__isnull=False)
    highest = rows.aggregate(highest=Max("change_number"))["highest"]
    if highest is not None:
        rows.erase()
        ChangeCounter.objects.filter(owner_id="alice").update(
            purged_to=highest, purges=F("purges") + 1
        )


def move_to_a_list(number: int) -> None:
    chosen(LIVE, number).change(list=TodoList.objects.create(owner_id="alice", name="Home"))


def remove_lists(_: int) -> None:
    TodoList.objects.filter(owner_id="alice").delete()


WRITES: Mapping[str, Callable[[int], object]] = {
    "create": lambda number: make_todo(),
    "create several": lambda number: Todo.objects.bulk_create(
        [Todo(owner_id="alice", title=str(each)) for each in range(number % 4)]
    ),
    "change": lambda number: chosen(LIVE, number).change(title=str(number)),
    "change several": lambda number: LIVE.update(priority=number % 4),
    "change each": lambda number: LIVE.update(title=str(number)),
    "move to a list": move_to_a_list,
    "remove": lambda number: chosen(LIVE, number).remove(),
    "remove several": lambda number: LIVE.filter(priority=number % 4).delete(),
    "remove lists": remove_lists,
    "erase": lambda number: chosen(TRASHED, number).remove(erased=True),
    "restore": lambda number: chosen(TRASHED, number).restore(),
    "purge": lambda number: purge(),
}
pulls = st.tuples(st.just("pull"), st.integers(0, 2))
writes = st.tuples(st.sampled_from(sorted(WRITES)), st.integers(0, 99))


@pytest.mark.django_db
@given(steps=st.lists(pulls | writes, max_size=40))
def test_every_replica_ends_with_what_the_server_has(
    alice: Client, steps: list[tuple[str, int]]
) -> None:
    with transaction.atomic():
        replicas = [Replica(alice, limit=limit) for limit in (1, 2, 3)]
        for step, number in steps:
            if step == "pull":
                replicas[number].pull()
            else:
                WRITES[step](number)
        for replica in replicas:
            replica.pull_all()
            assert replica.todos == todos_of_alice(alice)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_replicas_miss_nothing_of_transactions_that_overlap(
    mint: Mint, bearer: Bearer, seed: int
) -> None:
    writers = [Writer(Random(10 * seed + number)) for number in range(6)]
    replicas = [Replica(bearer(mint(sub="alice")), limit=limit) for limit in (1, 3)]

    def pull(replica: Replica) -> None:
        while not all(writer.is_done for writer in writers):
            replica.pull()

    tasks: list[Callable[[], None]] = [writer.write for writer in writers]
    tasks += [partial(pull, replica) for replica in replicas]
    simultaneously(tasks)
    for replica in replicas:
        assert replica.pages > 2
        replica.pull_all()
        assert replica.todos == todos_of_alice(bearer(mint(sub="alice")))


class Writer:
    """Someone whose transactions are open for up to some milliseconds after each change."""

    def __init__(self, order: Random) -> None:
        self._order = order
        self.is_done = False

    def write(self) -> None:
        try:
            for _ in range(10):
                with transaction.atomic():
                    for _ in range(self._order.randint(1, 3)):
                        self._write_once()
                        self._wait()
                self._wait()
        finally:
            self.is_done = True

    def _write_once(self) -> None:
        name = self._order.choice([each for each in WRITES if each != "purge"])
        # Another writer may change the same row between its reading and its change.
        with suppress(StaleRow), transaction.atomic():
            WRITES[name](self._order.randint(0, 99))

    def _wait(self) -> None:
        time.sleep(self._order.random() * 0.01)
