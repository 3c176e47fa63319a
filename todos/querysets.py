from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models

from authn.users import AnonymousUser, TokenUser

if TYPE_CHECKING:
    from todos.models import Todo  # noqa: F401 - of the annotation in the base class


class TodoQuerySet(models.QuerySet["Todo"]):
    def owned_by(self, user: TokenUser | AnonymousUser) -> Self:
        """The only way views reach todos; nobody owns nothing."""
        return self.filter(owner_id=user.pk) if user.is_authenticated else self.none()

    def as_shown(self) -> Self:
        """Without the copies that are only searched in, which are as long as what they copy."""
        return self.defer("description_folded", "tags_folded")

    def somebody_has(self, todo_id: UUID) -> bool:
        """Whether there is such a todo at all, which tells 403 from 404. Loads no row.

        The one statement of a request that names no owner: docs/scaling.md says what it costs.
        """
        return self.filter(pk=todo_id).exists()
