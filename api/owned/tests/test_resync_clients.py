"""The command that operators run after they have restored a backup."""

from __future__ import annotations

import io
import time

import pytest
from django.core.management import call_command
from django.test import Client

from api.models import ChangeCounter
from api.owned.registry import Resource
from lists.models import TodoList
from tests.support.routes import every_resource
from tests.support.rows import make_row
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.replicas import CHANGES, Replica, todos_of_alice

pytestmark = pytest.mark.django_db


def resync_clients() -> str:
    printed = io.StringIO()
    call_command("resync_clients", stdout=printed)
    return printed.getvalue()


def status(client: Client, since: int) -> int:
    return client.get(CHANGES, {"since": since}).status_code


def test_every_client_reads_all_rows_again(alice: Client) -> None:
    replica = Replica(alice, limit=1)
    for _ in range(3):
        make_todo()
    replica.pull_all()
    lost = make_todo()
    replica.pull_all()
    # The backup was made before the last todo.
    lost.refresh_from_db()
    Todo.objects.filter(pk=lost.pk).erase()
    ChangeCounter.objects.update(value=3)
    assert resync_clients() == "The clients of 1 users will read all rows again.\n"
    make_todo()
    assert status(alice, replica.since) == 410
    replica.pull_all()
    assert replica.todos == todos_of_alice(alice)
    assert len(replica.todos) == 4


def test_no_position_of_before_is_good(alice: Client) -> None:
    for _ in range(4):
        make_todo()
    resync_clients()
    assert {status(alice, since) for since in range(1, 10)} == {410}


def test_a_position_after_one_restore_is_refused_after_another(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_todo()
    backup = ChangeCounter.objects.values("value", "purged_to", "purges").get()
    resync_clients()
    since = alice.get(CHANGES).json()["checkpoint"]["since"]
    ChangeCounter.objects.update(**backup)
    later = time.time() + 1
    monkeypatch.setattr(time, "time", lambda: later)
    resync_clients()
    for _ in range(5):
        make_todo()
    assert status(alice, since) == 410


def test_a_walk_of_before_is_refused(alice: Client) -> None:
    for _ in range(2):
        make_todo()
    resync_clients()
    replica = Replica(alice, limit=1)
    replica.pull()
    resync_clients()
    assert status(alice, replica.since) == 410


def test_a_purge_after_the_backup_makes_no_walk_of_before_good(alice: Client) -> None:
    for _ in range(2):
        make_todo()
    resync_clients()
    backup = ChangeCounter.objects.get()
    ChangeCounter.objects.update(purged_to=backup.value, purges=backup.purges + 1)
    replica = Replica(alice, limit=1)
    replica.pull()
    backup.save()
    resync_clients()
    assert status(alice, replica.since) == 410


@every_resource
def test_rows_of_an_old_server_get_numbers(alice: Client, resource: Resource) -> None:
    rows = [make_row(resource.view.model) for _ in range(3)]
    model = resource.view.model
    model.objects.filter(pk__in=[row.pk for row in rows[1:]]).write(change_number=None)
    resync_clients()
    documents = alice.get(f"{resource.path}changes/").json()["documents"]
    assert {each["id"] for each in documents} == {str(row.pk) for row in rows}
    assert {each["etag"] for each in documents} == {row.etag for row in rows}
    numbers = model.objects.values_list("change_number", flat=True)
    assert len({*numbers}) == 3
    assert max(numbers) < ChangeCounter.objects.get().value


def test_a_user_whose_rows_are_all_of_an_old_server_gets_a_counter(alice: Client) -> None:
    make_todo()
    Todo.objects.all().write(change_number=None)
    ChangeCounter.objects.all().delete()
    resync_clients()
    replica = Replica(alice)
    replica.pull_all()
    assert replica.todos == todos_of_alice(alice) != {}


def test_each_user_is_resynced() -> None:
    make_todo()
    TodoList.objects.create(owner_id="bob", name="Home")
    assert "2 users" in resync_clients()
    counters = ChangeCounter.objects.all()
    assert {counter.purged_to == counter.value > 1 for counter in counters} == {True}
