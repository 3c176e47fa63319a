from __future__ import annotations

from inspect import signature
from typing import Any, cast

import factory

from todos.models import Priority, Todo


class TodoFactory(factory.django.DjangoModelFactory[Todo]):
    owner_id = "alice"
    title = factory.Sequence("Todo {}".format)  # type: ignore[attr-defined,no-untyped-call]
    description = ""
    completed = False
    priority = Priority.NONE
    due_date = due_time = timezone = None
    tags = factory.LazyFunction(list)  # type: ignore[attr-defined,no-untyped-call]

    class Meta:
        model = Todo

    @classmethod
    def _create(cls, model_class: type[Todo], *args: Any, **fields: Any) -> Todo:
        """``id`` and ``created_at`` too may be given, which nobody else chooses."""
        chosen: dict[str, Any] = {
            name: fields.pop(name) for name in ("id", "created_at") if name in fields
        }
        if "created_at" in chosen:
            chosen["updated_at"] = chosen["created_at"]
        todo = model_class.create(**fields)
        if chosen:
            Todo.objects.filter(pk=todo.pk).update(**chosen)
            vars(todo).update(chosen)
        return todo


def mistake() -> str:
    """Say what ``Todo.create`` lacks or does not know of ``TodoFactory``; empty if nothing."""
    fields = factory.build(dict, FACTORY_CLASS=TodoFactory)  # type: ignore[attr-defined,no-untyped-call]
    try:
        signature(Todo.create).bind(**fields)
    except TypeError as error:
        return f"TodoFactory (todos/tests/factories.py) does not fit Todo.create: {error}."
    return ""


def make_todo(**fields: Any) -> Todo:
    """A todo of Alice's, unless told otherwise."""
    return cast("Todo", TodoFactory(**fields))  # type: ignore[no-untyped-call]
