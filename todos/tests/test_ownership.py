"""The rule under the routes: what stands when a view makes a mistake."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError
from django.test import Client

from api.owned.models import StaleRow
from authn.users import AnonymousUser, TokenUser
from todos.models import Todo
from todos.querysets import TodoQuerySet
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db


def everybodys(self: TodoQuerySet, user: Any) -> TodoQuerySet:
    return self.all()


def anybodys(user: Any, row_id: UUID) -> Todo:
    return Todo.objects.get(pk=row_id)


@pytest.mark.parametrize("owner_id", ["alice", "BOB", "bob "])
def test_a_forgotten_owned_by_still_opens_nothing(
    bob: Client, monkeypatch: pytest.MonkeyPatch, owner_id: str
) -> None:
    todo = make_todo(owner_id=owner_id)
    monkeypatch.setattr(TodoQuerySet, "owned_by", everybodys)
    monkeypatch.setattr(Todo, "owned", anybodys)
    for path in (f"/api/todos/{todo.pk}/", f"/api/todos/{todo.pk}/complete/"):
        assert (
            bob.generic("GET" if path.endswith(f"{todo.pk}/") else "POST", path).status_code == 403
        )
    assert bob.get(f"/api/todos/{make_todo(owner_id='bob').pk}/").status_code == 200


def test_a_todo_restored_during_a_request_of_its_owner_is_not_forbidden(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    todo = make_todo()
    todo.remove()
    another_user_has = TodoQuerySet.another_user_has

    def restored_before(rows: TodoQuerySet, row_id: UUID, user: TokenUser) -> bool:
        todo.restore()
        return another_user_has(rows, row_id, user)

    monkeypatch.setattr(TodoQuerySet, "another_user_has", restored_before)
    path = f"/api/todos/{todo.pk}/"
    assert [alice.get(path).status_code for _ in range(2)] == [404, 200]


def test_an_anonymous_user_owns_no_todos() -> None:
    make_todo()
    assert Todo.objects.owned_by(AnonymousUser()).query.is_empty()
    assert not Todo.objects.owned_by(TokenUser("bob")).exists()


def test_a_change_writes_to_the_owners_row_only() -> None:
    todo = make_todo(owner_id="alice", title="Buy milk")
    todo.owner_id = "bob"
    with pytest.raises(StaleRow):
        todo.change(title="x")
    assert Todo.objects.get().title == "Buy milk"


@pytest.mark.parametrize("completed", [True, False])
def test_the_database_keeps_completed_and_completed_at_together(*, completed: bool) -> None:
    make_todo(completed=completed)
    with pytest.raises(IntegrityError):
        Todo.objects.all().write(completed=not completed)


def test_a_todo_prints_its_title() -> None:
    assert str(make_todo(title="Buy milk")) == "Buy milk"
