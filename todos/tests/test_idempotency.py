"""A request that is repeated with its ``Idempotency-Key`` is done once."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.response import Response

from api.errors.exceptions import IdempotencyKeyInFlight
from api.models import ROW_OCTETS, IdempotencyKey, IdempotencyKeyQuerySet
from api.writes import idempotency
from api.writes.idempotency import idempotent
from authn.testing import Bearer, Clock, Mint
from tests.support.meanwhile import Meanwhile
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.simultaneously import simultaneously
from todos.tests.writing import ask, every_change
from todos.views import TodoViewSet

pytestmark = pytest.mark.django_db

at_once = pytest.mark.django_db(transaction=True)
MINUTE, DAY = 60, 24 * 60 * 60


def create(client: Client, *, key: str | None = "k", path: str = "/api/todos/", **body: Any) -> Any:
    return send(client, body or {"title": "Buy milk"}, key=key, path=path)


def send(client: Client, body: Any, *, key: str | None = "k", path: str = "/api/todos/") -> Any:
    headers = {} if key is None else {"idempotency-key": key}
    return client.post(path, body, content_type="application/json", headers=headers)


def outcome(response: Any) -> str:
    """``"201"``, ``"201 replayed"`` or ``"409 idempotency_key_in_flight"``."""
    if response.status_code >= 400:
        return f"{response.status_code} {response.json()['code']}"
    replayed = response.get("Idempotency-Replayed")
    assert replayed in (None, "true")
    return f"{response.status_code} replayed" if replayed else str(response.status_code)


def leave_in_flight() -> None:
    """Leave the key of a process that died before it committed an answer."""
    IdempotencyKey.objects.update(status=None, headers={}, body="")
    Todo.objects.all().erase()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime.fromtimestamp(clock(), UTC))
    return clock


class TestRepeat:
    def test_a_repeat_gets_the_same_answer_and_creates_nothing(self, alice: Client) -> None:
        title = "Café \u2028 😀 \\u0041 </script>"
        first, again = (create(alice, title=title, description="\n") for _ in range(2))
        assert (outcome(first), outcome(again)) == ("201", "201 replayed")
        assert again.content == first.content
        for name in ("Location", "ETag", "Content-Type"):
            assert again[name] == first[name]
        assert again["X-Request-Id"] != first["X-Request-Id"]
        assert set(IdempotencyKey.objects.get().headers) == {"Location", "ETag"}
        assert Todo.objects.count() == 1

    def test_a_repeat_may_differ_in_spaces_and_order_of_members(self, alice: Client) -> None:
        send(alice, '{"title": "x", "completed": true}')
        again = send(alice, '{ "completed":true,"title":"\\u0078"}')
        assert outcome(again) == "201 replayed"

    def test_a_key_with_another_body_is_refused(self, alice: Client) -> None:
        create(alice)
        for body in ({"title": "Buy bread"}, {"title": "Buy milk", "completed": False}):
            response = create(alice, **body)
            assert outcome(response) == "422 idempotency_key_reused"
            assert response.json()["title"] == "Unprocessable Content"
        assert outcome(create(alice)) == "201 replayed"
        assert Todo.objects.get().title == "Buy milk"

    def test_a_repeat_may_omit_the_trailing_slash(self, alice: Client) -> None:
        create(alice, path="/api/todos")
        assert outcome(create(alice, path="/api/todos/")) == "201 replayed"


class TestScope:
    def test_another_key_is_another_request(self, alice: Client) -> None:
        answers = {key: create(alice, key=key) for key in ("k", "K", "k;k")}
        assert Todo.objects.count() == 3
        for key, answer in answers.items():
            assert create(alice, key=key).content == answer.content

    def test_keys_of_different_users_are_independent(self, alice: Client, bob: Client) -> None:
        assert outcome(create(alice)) == outcome(create(bob, title="Something else")) == "201"
        assert create(alice).json()["title"] == "Buy milk"
        assert Todo.objects.get(owner_id="bob").title == "Something else"

    def test_keys_of_different_paths_are_independent(self, alice: Client) -> None:
        create(alice)
        operations = [{"op": "create", "title": title} for title in "xy"]
        first, again = (
            create(alice, path="/api/todos/batch/", operations=operations) for _ in range(2)
        )
        assert (outcome(first), outcome(again)) == ("200", "200 replayed")
        assert again.content == first.content
        assert Todo.objects.count() == 3
        assert outcome(create(alice)) == "201 replayed"

    def test_a_key_costs_two_statements_and_a_repeat_three(self, alice: Client) -> None:
        create(alice)
        with CaptureQueriesContext(connection) as queries:
            create(alice, key="new")
            create(alice, key="new")
            create(alice, key="refused", title="")
        about_keys = [query["sql"] for query in queries if "api_idempotencykey" in query["sql"]]
        assert [sql.split()[0] for sql in about_keys] == [
            *("INSERT", "UPDATE"),
            *("INSERT", "UPDATE", "SELECT"),
            *("INSERT", "DELETE"),
        ]

    def test_a_read_ignores_the_key(self, alice: Client) -> None:
        url = create(alice)["Location"]
        for key in ("no key", "k"):
            for answer in (alice.get, alice.head, alice.options):
                assert answer(url, headers={"idempotency-key": key}).status_code == 200
        stale = {"idempotency-key": "k", "if-match": '"other"'}
        assert alice.get(url, headers=stale).status_code == 412

    def test_a_key_of_another_path_meets_the_precondition(self, alice: Client) -> None:
        todo = make_todo()
        assert repeat(alice, "complete", todo, **{"if-match": todo.etag}) == "200"
        answer = repeat(alice, "reopen", todo, **{"if-match": todo.etag})
        assert answer == "412 precondition_failed"

    def test_one_key_is_for_one_method(self, alice: Client) -> None:
        todo = make_todo()
        assert repeat(alice, "PATCH", todo) == "200"
        assert repeat(alice, "PUT", todo) == "422 idempotency_key_reused"
        assert repeat(alice, "DELETE", todo) == "422 idempotency_key_reused"
        assert Todo.objects.exists()
        assert repeat(alice, "PATCH", todo) == "200 replayed"


def repeat(client: Client, change: str, todo: Any, *, key: str = "k", **headers: str) -> str:
    return outcome(ask(client, change, todo, **{"idempotency-key": key, **headers}))


def succeeded(change: str) -> str:
    return "204" if change == "DELETE" else "200"


@every_change
class TestChange:
    """A change of a todo whose answer was lost."""

    def test_a_repeated_change_gets_the_first_answer(
        self, alice: Client, todo: Todo, change: str
    ) -> None:
        headers = {"idempotency-key": "k", "if-match": todo.etag}
        first, again = (ask(alice, change, todo, **headers) for _ in range(2))
        assert outcome(first) == succeeded(change)
        assert outcome(again) == f"{succeeded(change)} replayed"
        assert (again.content, again.get("ETag")) == (first.content, first.get("ETag"))

    def test_a_repeated_change_changes_nothing_again(
        self, alice: Client, todo: Todo, change: str
    ) -> None:
        repeat(alice, change, todo)
        if change == "DELETE":
            Todo.objects.get().restore()
        else:
            Todo.objects.get().change(title="By somebody else")
        before = Todo.objects.get().version
        assert repeat(alice, change, todo) == f"{succeeded(change)} replayed"
        assert Todo.objects.get().version == before

    def test_a_repeat_is_answered_although_the_todo_is_gone(
        self, alice: Client, todo: Todo, change: str
    ) -> None:
        assert repeat(alice, change, todo) == succeeded(change)
        Todo.objects.all().delete()
        assert repeat(alice, change, todo) == f"{succeeded(change)} replayed"

    def test_a_repeat_needs_no_if_match_where_it_is_required(
        self, alice: Client, todo: Todo, change: str, settings: Settings
    ) -> None:
        settings.REQUIRE_IF_MATCH = True
        assert repeat(alice, change, todo) == "428 precondition_required"
        assert repeat(alice, change, todo, **{"if-match": '"x"'}) == "412 precondition_failed"
        assert not IdempotencyKey.objects.exists()
        assert repeat(alice, change, todo, **{"if-match": todo.etag}) == succeeded(change)
        assert repeat(alice, change, todo) == f"{succeeded(change)} replayed"

    def test_a_stranger_learns_nothing_by_the_key(
        self, alice: Client, bob: Client, todo: Todo, change: str
    ) -> None:
        repeat(alice, change, todo)
        gone = change == "DELETE"
        assert repeat(bob, change, todo) == ("404 not_found" if gone else "403 permission_denied")
        assert repeat(bob, change, make_todo()) == "403 permission_denied"
        again = repeat(alice, change, todo, key="another")
        assert again == ("404 not_found" if gone else "200")

    def test_a_key_of_a_change_in_flight_meets_the_precondition(
        self, alice: Client, todo: Todo, change: str
    ) -> None:
        repeat(alice, change, todo)
        IdempotencyKey.objects.update(status=None)
        if change == "DELETE":
            Todo.objects.get().restore()
        assert repeat(alice, change, todo) == "409 idempotency_key_in_flight"
        assert repeat(alice, change, todo, **{"if-match": '"x"'}) == "412 precondition_failed"

    def test_an_expired_key_of_a_change_meets_the_precondition(
        self, alice: Client, clock: Clock, todo: Todo, change: str
    ) -> None:
        headers = {"if-match": todo.etag}
        assert repeat(alice, change, todo, **headers) == succeeded(change)
        clock.advance(DAY - 1)
        assert repeat(alice, change, todo, **headers) == f"{succeeded(change)} replayed"
        clock.advance(1)
        expected = "404 not_found" if change == "DELETE" else "412 precondition_failed"
        assert repeat(alice, change, todo, **headers) == expected

    def test_an_overtaken_change_is_still_stored(
        self, alice: Client, todo: Todo, change: str, meanwhile: Meanwhile
    ) -> None:
        meanwhile(lambda: Todo.objects.get().change(description="Overtaken"))
        assert repeat(alice, change, todo) == succeeded(change)
        assert repeat(alice, change, todo) == f"{succeeded(change)} replayed"

    def test_a_purged_answer_of_a_change_checks_the_precondition_again(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch, todo: Todo, change: str
    ) -> None:
        monkeypatch.setattr("api.owned.viewset.is_repeat", lambda request: True)
        answer = repeat(alice, change, todo, **{"if-match": '"x"'})
        assert answer == "412 precondition_failed"


def test_a_purged_answer_of_a_deletion_is_404(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.owned.viewset.is_repeat", lambda request: True)
    assert repeat(alice, "DELETE", Todo(pk=uuid.uuid4())) == "404 not_found"


class TestRoom:
    """Stored answers are bounded in octets, each by itself and all of an owner."""

    @pytest.fixture(autouse=True)
    def _asked_anew(self) -> None:
        idempotency._left_of.cache_clear()

    # Each emoji is one character and four octets.
    @pytest.mark.parametrize(("count", "fits"), [(6, True), (7, False)])
    def test_an_answer_of_over_256_kib_is_refused_and_undone(
        self, alice: Client, count: int, *, fits: bool
    ) -> None:
        todo = make_todo(description="😀" * 10_000)
        operations = [{"op": "complete", "id": str(todo.pk)}] * count
        response = create(alice, path="/api/todos/batch/", operations=operations)
        assert outcome(response) == ("200" if fits else "413 content_too_large")
        assert Todo.objects.get().completed is fits
        assert IdempotencyKey.objects.exists() is fits

    @pytest.fixture
    def _full(self, alice: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        """Alice has two answers that take more room than there is."""
        monkeypatch.setattr(idempotency, "MAX_OWNER_OCTETS", 4 * ROW_OCTETS)
        create(alice, key="first")
        clock.advance(60)
        idempotency._left_of.cache_clear()
        create(alice, key="second", title="x" * 500)
        idempotency._left_of.cache_clear()

    @pytest.mark.usefixtures("_full")
    def test_a_new_key_without_room_is_refused_until_the_oldest_expires(
        self, alice: Client, clock: Clock
    ) -> None:
        response = create(alice, key="third")
        assert outcome(response) == "429 idempotency_keys_used_up"
        assert response["Retry-After"] == str(DAY - 60)
        assert Todo.objects.count() == IdempotencyKey.objects.count() == 2
        clock.advance(DAY - 60)
        assert outcome(create(alice, key="third", title="x")) == "201"

    @pytest.mark.usefixtures("_full")
    def test_repeats_and_requests_without_a_key_need_no_room(self, alice: Client) -> None:
        assert outcome(create(alice, key="first")) == "201 replayed"
        assert outcome(create(alice, key=None)) == "201"

    @pytest.mark.usefixtures("_full")
    def test_owners_share_no_room_for_answers(self, bob: Client) -> None:
        assert outcome(create(bob)) == "201"

    def test_empty_answers_take_room(self, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(idempotency, "MAX_OWNER_OCTETS", 3 * ROW_OCTETS)
        todos = [make_todo() for _ in range(4)]
        *kept, refused = (repeat(alice, "DELETE", todo) for todo in todos)
        assert kept == ["204"] * 3
        assert refused == "429 idempotency_keys_used_up"

    def test_many_large_answers_are_not_kept(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(idempotency, "MAX_OWNER_OCTETS", 2 * 1024 * 1024)
        todo = make_todo(description="😀" * 10_000)
        operations = [{"op": "complete", "id": str(todo.pk)}] * 6
        outcomes = Counter(
            outcome(create(alice, key=str(n), path="/api/todos/batch/", operations=operations))
            for n in range(20)
        )
        assert outcomes["429 idempotency_keys_used_up"] > 0
        assert outcomes["200"] + outcomes["429 idempotency_keys_used_up"] == 20
        kept = sum(len(row.body.encode()) for row in IdempotencyKey.objects.all())
        assert kept <= idempotency.MAX_OWNER_OCTETS + idempotency.MAX_ANSWER_OCTETS

    def test_the_stored_octets_are_added_up_seldom(self, alice: Client) -> None:
        with CaptureQueriesContext(connection) as queries:
            for number in range(10):
                create(alice, key=str(number))
        assert sum("SUM(" in query["sql"] for query in queries) == 1


class TestFormat:
    @pytest.mark.parametrize("key", ["a", "!" * 255, '"8e03978e-40d5"', "a;b", "-+"])
    def test_visible_ascii_is_a_key(self, alice: Client, key: str) -> None:
        assert outcome(create(alice, key=key)) == "201"
        assert outcome(create(alice, key=key)) == "201 replayed"

    @pytest.mark.parametrize(
        "key", ["", " ", "a b", " a", "a\t", "a\x00", "\x7f", "é", "a" * 256, "a,b"]
    )
    def test_a_malformed_key_is_refused(self, alice: Client, key: str) -> None:
        response = create(alice, key=key)
        assert outcome(response) == "400 invalid_header"
        (error,) = response.json()["errors"]
        assert (error["header"], error["code"]) == ("Idempotency-Key", "invalid")
        assert not Todo.objects.exists()


class TestInFlight:
    def test_a_repeat_of_a_request_in_flight_gets_409(self, alice: Client, clock: Clock) -> None:
        create(alice)
        leave_in_flight()
        clock.advance(MINUTE - 0.001)
        response = create(alice)
        assert outcome(response) == "409 idempotency_key_in_flight"
        assert response["Retry-After"] == "1"
        assert outcome(create(alice, title="x")) == "422 idempotency_key_reused"
        assert not Todo.objects.exists()

    @pytest.mark.parametrize("title", ["Buy milk", "Another"])
    def test_a_repeat_takes_over_an_abandoned_key_after_a_minute(
        self, alice: Client, clock: Clock, title: str
    ) -> None:
        create(alice)
        leave_in_flight()
        clock.advance(MINUTE)
        assert outcome(create(alice, title=title)) == "201"
        assert outcome(create(alice, title=title)) == "201 replayed"
        assert Todo.objects.get().title == title

    def test_a_request_whose_key_was_taken_over_creates_nothing(
        self, alice: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        carry_out, quick = idempotency._carry_out, []

        def slowly(claim: IdempotencyKey, make: Callable[[], Response]) -> Response:
            def after_the_slow_one(
                second_claim: IdempotencyKey, second_make: Callable[[], Response]
            ) -> Response:
                with pytest.raises(IdempotencyKeyInFlight):
                    carry_out(claim, make)
                return carry_out(second_claim, second_make)

            monkeypatch.setattr(idempotency, "_carry_out", after_the_slow_one)
            clock.advance(MINUTE)
            quick.append(create(alice))
            raise IdempotencyKeyInFlight

        monkeypatch.setattr(idempotency, "_carry_out", slowly)
        create(alice)
        assert outcome(quick[0]) == "201"
        assert Todo.objects.count() == 1

    def test_a_key_freed_during_a_repeat_gets_409(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def just_too_late(rows: IdempotencyKeyQuerySet, **columns: Any) -> int:
            IdempotencyKey.objects.all().delete()
            return 0

        create(alice)
        monkeypatch.setattr(IdempotencyKeyQuerySet, "update", just_too_late)
        assert outcome(create(alice)) == "409 idempotency_key_in_flight"


def test_an_answer_is_kept_for_a_day(alice: Client, clock: Clock) -> None:
    first = create(alice)
    clock.advance(DAY - 0.001)
    assert create(alice).content == first.content
    clock.advance(0.001)
    assert outcome(create(alice, title="Another")) == "201"
    clock.advance(DAY - 0.001)
    assert outcome(create(alice, title="Another")) == "201 replayed"
    assert outcome(create(alice)) == "422 idempotency_key_reused"


class TestRefusal:
    def test_a_refused_body_leaves_the_key_free(self, alice: Client) -> None:
        assert outcome(create(alice, title="")) == "400 validation_failed"
        assert not IdempotencyKey.objects.exists()
        assert outcome(create(alice)) == "201"

    @pytest.mark.parametrize("body", ["{", "[" * 100_000, ""])
    def test_an_unreadable_body_leaves_the_key_free(self, alice: Client, body: str) -> None:
        assert send(alice, body).status_code == 400
        assert outcome(create(alice)) == "201"

    def test_a_view_that_returns_an_error_is_rolled_back(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        @idempotent
        def refuse(view: TodoViewSet, request: Any) -> Response:
            make_todo()
            return Response(status=400)

        monkeypatch.setattr(TodoViewSet, "create", refuse)
        assert create(alice).status_code == 400
        assert not Todo.objects.exists()
        assert not IdempotencyKey.objects.exists()


class TestCrash:
    def test_a_crash_after_the_commit_keeps_the_answer(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*args: Any, **kwargs: Any) -> None:
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(TodoViewSet, "finalize_response", crash)
            with pytest.raises(SystemExit):
                create(alice)
        again = create(alice)
        assert outcome(again) == "201 replayed"
        assert again.json()["id"] == str(Todo.objects.get().pk)

    @at_once
    def test_an_error_after_the_commit_does_not_free_the_key(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash() -> None:
            raise OperationalError

        create_todo = Todo.objects.create

        def crash_afterwards(**fields: Any) -> Todo:
            transaction.on_commit(crash)
            return create_todo(**fields)

        with monkeypatch.context() as patch:
            patch.setattr(Todo.objects, "create", crash_afterwards)
            assert outcome(create(alice)) == "503 database_unavailable"
        assert outcome(create(alice)) == "201 replayed"
        assert Todo.objects.count() == 1

    @pytest.mark.parametrize("handled", [True, False], ids=["an error", "the process is gone"])
    def test_a_crash_before_the_commit_keeps_nothing(
        self, alice: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, handled: bool
    ) -> None:
        create_todo = Todo.objects.create

        def crash(**fields: Any) -> None:
            create_todo(**fields)
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(Todo.objects, "create", crash)
            if not handled:
                patch.setattr(IdempotencyKeyQuerySet, "delete", lambda rows: None)
            with pytest.raises(SystemExit):
                create(alice)
        assert not Todo.objects.exists()
        if not handled:
            assert outcome(create(alice)) == "409 idempotency_key_in_flight"
            clock.advance(MINUTE)
        assert outcome(create(alice)) == "201"

    @at_once
    def test_a_key_inside_a_transaction_is_an_error(self, alice: Client) -> None:
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            create(alice)

    @pytest.mark.parametrize("method", ["save", "update"])
    def test_an_unreachable_database_with_a_key_is_503(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch, method: str
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise OperationalError

        where: Any = IdempotencyKey if method == "save" else IdempotencyKeyQuerySet
        with monkeypatch.context() as patch:
            patch.setattr(where, method, fail)
            assert outcome(create(alice)) == "503 database_unavailable"
        assert not Todo.objects.exists()
        assert outcome(create(alice)) == "201"


class TestAtOnce:
    """Twenty requests at the same time."""

    @pytest.fixture
    def twenty(self, bearer: Bearer, mint: Mint) -> list[Client]:
        return [bearer(mint(sub="alice")) for _ in range(20)]

    @at_once
    @pytest.mark.parametrize("abandoned", [False, True], ids=["a new key", "an abandoned key"])
    def test_one_of_twenty_repeats_creates_and_the_others_replay(
        self, twenty: list[Client], clock: Clock, *, abandoned: bool
    ) -> None:
        if abandoned:
            create(twenty[0])
            leave_in_flight()
            clock.advance(MINUTE)
        answers = simultaneously([partial(create, client) for client in twenty])
        outcomes = Counter(map(outcome, answers))
        assert outcomes["201"] == 1
        assert set(outcomes) <= {"201", "201 replayed", "409 idempotency_key_in_flight"}
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        assert Todo.objects.count() == 1
        assert outcome(create(twenty[0])) == "201 replayed"

    @at_once
    def test_twenty_repeats_of_an_invalid_body_get_400_or_409(self, twenty: list[Client]) -> None:
        answers = simultaneously([partial(create, client, title="") for client in twenty])
        outcomes = Counter(map(outcome, answers))
        assert outcomes["400 validation_failed"] >= 1
        assert set(outcomes) <= {"400 validation_failed", "409 idempotency_key_in_flight"}
        assert not IdempotencyKey.objects.exists()

    @at_once
    def test_twenty_keys_make_twenty_todos(self, twenty: list[Client]) -> None:
        answers = simultaneously(
            [partial(create, client, key=str(number)) for number, client in enumerate(twenty)]
        )
        assert {outcome(answer) for answer in answers} == {"201"}
        assert Todo.objects.count() == 20
