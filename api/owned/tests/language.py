"""Sentences of the tests about stored rows."""

from __future__ import annotations

from api.owned.fields import followers_of
from todos.models import Todo


def stored(todo: Todo) -> Todo:
    """Load a todo, and require that its columns follow from the others."""
    row = Todo.objects.get(pk=todo.pk)
    for field in followers_of(Todo):
        assert getattr(row, field.attname) == field.following(row, row.updated_at), field.attname
    return row


def changed(before: Todo) -> Todo:
    """Load a todo, and require a new version and moment besides."""
    row = stored(before)
    assert row.version != before.version
    assert row.updated_at > before.updated_at
    return row


def unchanged(before: Todo) -> Todo:
    row = stored(before)
    assert (row.version, row.updated_at) == (before.version, before.updated_at)
    return row
