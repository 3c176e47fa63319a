"""The resources of owners, read from the routes: a new one is registered nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.urls import get_resolver, reverse

from api.checks import iterate_routes
from api.owned.models import OwnedModel

if TYPE_CHECKING:
    from api.owned.viewset import OwnedViewSet


@dataclass(frozen=True, slots=True)
class Resource:
    path: str  # of its list, such as /api/todos/
    view: type[OwnedViewSet]
    basename: str

    @property
    def plural(self) -> str:
        return self.path.split("/")[-2]

    @property
    def url(self) -> str:
        """The path that clients call, with the prefix of ``PUBLIC_URL``."""
        return reverse(f"{self.basename}-list")

    @property
    def actions(self) -> list[Any]:
        """The extra actions on one row, such as ``complete``."""
        actions: Any = self.view.get_extra_actions()
        return [each for each in actions if each.detail]


def resources() -> Iterator[Resource]:
    from api.owned.viewset import OwnedViewSet  # imports the schema, which imports this module

    for route, callback in iterate_routes(get_resolver()):
        view: Any = getattr(callback, "cls", object)
        if issubclass(view, OwnedViewSet) and "list" in callback.actions.values():
            yield Resource(route, view, callback.initkwargs["basename"])


def owned_models() -> list[type[OwnedModel]]:
    """Return the models with a table of their own."""
    models = apps.get_models()
    return [each for each in models if issubclass(each, OwnedModel) and not each._meta.proxy]
