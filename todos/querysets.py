from __future__ import annotations

from typing import TYPE_CHECKING, Self

from api.owned.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from todos.models import Todo  # noqa: F401 - of the annotation in the base class


class TodoQuerySet(OwnedQuerySet["Todo"]):
    def as_shown(self) -> Self:
        """Defer the copies that are only searched, which are as long as their originals."""
        return super().as_shown().defer("description_folded", "tags_folded")
