from __future__ import annotations

import factory

from lists.models import TodoList


class TodoListFactory(factory.django.DjangoModelFactory[TodoList]):
    owner_id = "alice"
    name = factory.Sequence("List {}".format)

    class Meta:
        model = TodoList
