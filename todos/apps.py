from __future__ import annotations

from django.apps import AppConfig
from django.db.models import TextField


class TodosConfig(AppConfig):
    name = "todos"

    def ready(self) -> None:
        from todos.lookups import Holds

        TextField.register_lookup(Holds)
