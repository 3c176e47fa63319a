from __future__ import annotations

from typing import Any

import factory

from todos.models import Todo


class TodoFactory(factory.django.DjangoModelFactory[Todo]):
    owner_id = "alice"
    title = factory.Sequence("Todo {}".format)

    class Meta:
        model = Todo


def make_todo(**fields: Any) -> Todo:
    """A todo of Alice's, unless told otherwise."""
    return TodoFactory.create(**fields)
