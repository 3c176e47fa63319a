from __future__ import annotations

from typing import Any, cast

import factory

from todos.models import Todo


class TodoFactory(factory.django.DjangoModelFactory[Todo]):
    owner_id = "alice"
    title = factory.Sequence("Todo {}".format)  # type: ignore[attr-defined,no-untyped-call]

    class Meta:
        model = Todo

    @classmethod
    def _create(cls, model_class: type[Todo], *args: Any, **fields: Any) -> Todo:
        return model_class.create(**fields)


def make_todo(**fields: Any) -> Todo:
    """A todo of Alice's, unless told otherwise."""
    return cast("Todo", TodoFactory(**fields))  # type: ignore[no-untyped-call]
