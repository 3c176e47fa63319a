from __future__ import annotations

from typing import Any

import factory
from django.core.exceptions import ValidationError

from todos.models import Todo


class TodoFactory(factory.django.DjangoModelFactory[Todo]):
    owner_id = "alice"
    title = factory.Sequence("Todo {}".format)

    class Meta:
        model = Todo


def mistake() -> str:
    """Say why ``TodoFactory`` does not fit ``Todo``, or return an empty text."""
    fields = factory.build(dict, FACTORY_CLASS=TodoFactory)
    set_by_create = {field.name for field in Todo._meta.fields if not field.editable}
    try:
        Todo(**fields).clean_fields(exclude=set_by_create - {"owner_id"})
    except (TypeError, ValidationError) as error:
        return f"TodoFactory (todos/tests/factories.py) does not fit Todo: {error}"
    return ""


def make_todo(**fields: Any) -> Todo:
    """A todo of Alice's, unless told otherwise."""
    return TodoFactory.create(**fields)
