"""``/api/todos/changes/``: positions, pages, purges and what a poll costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from api.models import ChangeCounter
from api.owned import feed
from api.owned.feed import PURGE
from lists.models import TodoList
from tests.support.problems import problem
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.replicas import CHANGES, Replica, todos_of_alice

pytestmark = pytest.mark.django_db


def changes(client: Client, since: int = 0, **query: Any) -> Any:
    response = client.get(CHANGES, {"since": since, **query})
    assert response.status_code == 200, response.content
    return response.json()


def titles(answer: Any) -> list[str]:
    return [each["title"] for each in answer["documents"]]


def position(answer: Any) -> int:
    return int(answer["checkpoint"]["since"])


def is_refused(client: Client, since: int, **headers: str) -> bool:
    response = client.get(CHANGES, {"since": since}, headers=headers)
    if response.status_code != 410:
        return False
    problem(response, 410, "resync_required")
    return True


def purge(*todos: Todo) -> None:
    """Delete rows for good as the command ``purge`` does."""
    for todo in todos:
        todo.refresh_from_db()
        Todo.objects.filter(pk=todo.pk).erase()
        ChangeCounter.objects.filter(owner_id=todo.owner_id).update(
            purged_to=todo.change_number, purges=F("purges") + 1
        )


def make_and_purge(title: str = "purged") -> Todo:
    todo = make_todo(title=title)
    todo.remove()
    purge(todo)
    return todo


def test_a_user_without_rows_starts_at_zero(alice: Client) -> None:
    expected = {"documents": [], "checkpoint": {"since": 0}, "more": False}
    assert changes(alice) == alice.get(CHANGES).json() == expected


def test_changes_come_in_the_order_of_their_numbers(alice: Client) -> None:
    first, second = make_todo(title="first"), make_todo(title="second")
    before = position(changes(alice))
    second.change(completed=True)
    first.change(priority=1)
    answer = changes(alice, before)
    assert titles(answer) == ["second", "first"]
    assert changes(alice, position(answer))["documents"] == []


def test_a_row_comes_once_as_it_is_now(alice: Client) -> None:
    todo = make_todo()
    for title in ("a", "b", "c"):
        todo.change(title=title)
    [document] = changes(alice)["documents"]
    assert document == {**alice.get(f"/api/todos/{todo.pk}/").json(), "deleted": False}


def test_a_first_pull_has_no_deleted_rows_and_a_later_one_has(alice: Client) -> None:
    kept, gone, erased = (make_todo(title=title) for title in ("kept", "gone", "erased"))
    before = position(changes(alice))
    gone.remove()
    erased.remove(erased=True)
    assert titles(changes(alice)) == ["kept"]
    documents = changes(alice, before)["documents"]
    assert [(each["id"], each["title"], each["deleted"]) for each in documents] == [
        (str(gone.pk), "gone", True),
        (str(erased.pk), "", True),
    ]
    gone.restore()
    assert [(each["id"], each["deleted"]) for each in changes(alice)["documents"]] == [
        (str(kept.pk), False),
        (str(gone.pk), False),
    ]


def test_a_client_gets_its_own_changes_only(alice: Client, bob: Client) -> None:
    make_todo(title="Alice's")
    make_todo(title="Bob's", owner_id="bob")
    assert (titles(changes(alice)), titles(changes(bob))) == (["Alice's"], ["Bob's"])


def test_a_row_without_a_number_is_not_shown(alice: Client) -> None:
    todo = make_todo(title="numbered")
    make_todo(title="of an old server")
    Todo.objects.exclude(pk=todo.pk).write(change_number=None)
    answer = changes(alice)
    assert titles(answer) == ["numbered"]
    assert changes(alice, position(answer))["documents"] == []


INVALID = ["limit=0", "limit=201", "limit=", "limit=x", "since=1&since=2", "cursor=x", "tag=x"]
INVALID += [f"since={text}" for text in ("", "-1", "1.5", "x", "%2B1", "٣", 2**53, "9" * 17)]


@pytest.mark.parametrize("query", INVALID)
def test_an_invalid_parameter_is_400(alice: Client, query: str) -> None:
    problem(alice.get(f"{CHANGES}?{query}"), 400, "invalid_parameter")


def test_a_post_is_405(alice: Client) -> None:
    response = alice.post(CHANGES, {}, content_type="application/json")
    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_show_every_row_once_and_end(alice: Client, limit: int) -> None:
    expected = [make_todo().title for _ in range(4)]
    found, since, more = [], 0, True
    while more:
        answer = changes(alice, since, limit=limit)
        found += titles(answer)
        since, more = position(answer), answer["more"]
    assert found == expected
    assert since == ChangeCounter.objects.get().value


def test_200_rows_come_at_once(alice: Client) -> None:
    Todo.objects.bulk_create(Todo(owner_id="alice", title="x") for _ in range(201))
    answer = changes(alice)
    assert (len(answer["documents"]), answer["more"]) == (200, True)


def test_an_answer_ends_at_1_mib(alice: Client) -> None:
    for _ in range(30):
        make_todo(description="\U0001f600" * 10_000)
    response = alice.get(CHANGES)
    assert 0.9 * 2**20 < len(response.content) <= 2**20
    replica = Replica(alice)
    replica.pull_all()
    assert (replica.pages, replica.todos) == (2, todos_of_alice(alice))


def test_rows_that_change_during_a_walk_come_again(alice: Client) -> None:
    todos = [make_todo() for _ in range(6)]
    replica = Replica(alice, limit=2)
    replica.pull()
    todos[0].change(title="changed after its page")
    replica.pull()
    todos[5].change(title="changed before its page")
    todos[1].remove()
    replica.pull_all()
    assert replica.todos == todos_of_alice(alice)


def test_the_last_checkpoint_passes_the_changes_of_other_resources(alice: Client) -> None:
    make_todo()
    TodoList.objects.create(owner_id="alice", name="Home")
    assert position(changes(alice)) == ChangeCounter.objects.get().value == 2


class TestPositions:
    def test_a_position_ahead_of_the_counter_is_refused(self, alice: Client) -> None:
        make_todo()
        assert not is_refused(alice, 1)
        assert is_refused(alice, 2)

    def test_a_user_without_rows_has_the_position_zero_only(self, alice: Client) -> None:
        assert is_refused(alice, 1)
        assert is_refused(alice, PURGE)

    def test_a_position_before_a_purge_is_refused(self, alice: Client) -> None:
        make_todo()  # 1
        make_and_purge()  # 2, 3
        make_todo()  # 4
        assert [is_refused(alice, since) for since in range(6)] == [
            *(False, True, True),
            *(False, False, True),
        ]

    def test_a_refused_position_is_410_whatever_the_client_has(self, alice: Client) -> None:
        make_todo()
        etag = alice.get(CHANGES)["ETag"]
        assert is_refused(alice, 2, **{"if-none-match": etag})
        assert is_refused(alice, 2, **{"if-none-match": "*"})

    def test_a_client_without_a_copy_can_read_on_below_a_purge(self, alice: Client) -> None:
        for _ in range(3):
            make_todo()
        make_and_purge()
        replica = Replica(alice, limit=1)
        replica.pull()
        assert replica.since == PURGE + 1
        replica.pull_all()
        assert (replica.pages, replica.since) == (3, 5)
        assert replica.todos == todos_of_alice(alice)

    def test_a_walk_ends_with_the_next_purge(self, alice: Client) -> None:
        for _ in range(3):
            make_todo()
        make_and_purge()
        replica = Replica(alice, limit=1)
        replica.pull()
        make_and_purge()
        assert is_refused(alice, replica.since)
        replica.pull_all()
        assert replica.todos == todos_of_alice(alice)

    @pytest.mark.parametrize("since", [2 * PURGE + 1, PURGE + 5, 2**53 - 1])
    def test_a_position_of_no_walk_is_refused(self, alice: Client, since: int) -> None:
        make_todo()
        make_and_purge()
        assert is_refused(alice, since)

    def test_a_purge_between_the_statements_of_a_first_pull_hides_nothing(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept, gone = make_todo(), make_todo()
        gone.remove()
        read = feed._rows_after

        def read_after_a_purge(*arguments: Any) -> Any:
            monkeypatch.undo()
            purge(gone)
            return read(*arguments)

        monkeypatch.setattr(feed, "_rows_after", read_after_a_purge)
        documents = alice.get(CHANGES).json()["documents"]
        assert [each["id"] for each in documents] == [str(kept.pk)]

    def test_a_purge_between_the_statements_of_a_pull_is_noticed(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Otherwise the client would miss the deletion, and have a position after it."""
        make_todo()  # 1
        gone = make_todo()
        gone.remove()  # 3
        read = feed._counter_of

        def read_before_a_purge(*arguments: Any) -> Any:
            counter = read(*arguments)
            monkeypatch.undo()
            purge(gone)
            return counter

        monkeypatch.setattr(feed, "_counter_of", read_before_a_purge)
        assert is_refused(alice, 1)


class TestPolls:
    def test_a_poll_without_news_is_304_by_one_statement(
        self, alice: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        make_todo()
        first = alice.get(CHANGES)
        seen = {"if-none-match": first["ETag"]}
        for since in (0, first.json()["checkpoint"]["since"]):
            with django_assert_num_queries(1):
                response = alice.get(CHANGES, {"since": since}, headers=seen)
            assert (response.status_code, response.content) == (304, b"")
            assert response["ETag"] == first["ETag"]

    @pytest.mark.parametrize(("since", "statements"), [(0, 2), (1, 2), (2, 1)])
    def test_only_a_pull_of_something_costs_a_second_statement(
        self,
        alice: Client,
        django_assert_num_queries: DjangoAssertNumQueries,
        since: int,
        statements: int,
    ) -> None:
        for _ in range(2):
            make_todo()
        with django_assert_num_queries(statements):
            assert len(changes(alice, since)["documents"]) == 2 - since

    def test_every_change_and_purge_gives_another_etag(self, alice: Client) -> None:
        etags = [alice.get(CHANGES)["ETag"]]
        todo = make_todo()
        etags.append(alice.get(CHANGES)["ETag"])
        todo.change(title="changed")
        etags.append(alice.get(CHANGES)["ETag"])
        todo.remove()
        etags.append(alice.get(CHANGES)["ETag"])
        purge(todo)
        etags.append(alice.get(CHANGES)["ETag"])
        assert len({*etags}) == len(etags)

    def test_changes_of_other_users_keep_the_etag(self, alice: Client) -> None:
        make_todo()
        etag = alice.get(CHANGES)["ETag"]
        make_todo(owner_id="bob")
        assert alice.get(CHANGES)["ETag"] == etag

    def test_a_change_of_another_resource_moves_the_position(self, alice: Client) -> None:
        make_todo()
        before = alice.get(CHANGES)
        since = before.json()["checkpoint"]["since"]
        home = TodoList.objects.create(owner_id="alice", name="Home")
        headers = {"if-none-match": before["ETag"]}
        after = alice.get(CHANGES, {"since": since}, headers=headers).json()
        assert after == {
            "documents": [],
            "checkpoint": {"since": home.change_number},
            "more": False,
        }

    def test_two_users_share_no_etag(self, alice: Client, bob: Client) -> None:
        assert alice.get(CHANGES)["ETag"] != bob.get(CHANGES)["ETag"]
        for owner_id in ("alice", "bob"):
            make_todo(owner_id=owner_id)
        etag = alice.get(CHANGES)["ETag"]
        assert bob.get(CHANGES, headers={"if-none-match": etag}).status_code == 200

    def test_the_etag_of_a_page_is_not_that_of_the_next(self, alice: Client) -> None:
        for _ in range(2):
            make_todo()
        first = alice.get(CHANGES, {"limit": 1})
        since = first.json()["checkpoint"]["since"]
        headers = {"if-none-match": first["ETag"]}
        second = alice.get(CHANGES, {"limit": 1, "since": since}, headers=headers)
        assert len(second.json()["documents"]) == 1

    def test_a_pull_reads_no_search_columns(self, alice: Client) -> None:
        make_todo()
        with CaptureQueriesContext(connection) as queries:
            alice.get(CHANGES)
        for name in ("description_folded", "tags_folded"):
            assert name not in str(queries.captured_queries)
