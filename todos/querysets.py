from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from api.owned.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from todos.models import Todo  # noqa: F401 - of the annotation in the base class


class TodoQuerySet(OwnedQuerySet["Todo"]):
    def as_shown(self) -> Self:
        """Defer the copies that are only searched, which are as long as their originals."""
        return self.defer("description_folded", "tags_folded")


@models.TextField.register_lookup
class Holds(models.Lookup):
    """``field__holds="text"``: the field contains the text, to the letter.

    ``LIKE`` starts a comparison at each character, which takes the product of both lengths for
    texts of few letters. These functions take the sum.
    """

    lookup_name = "holds"

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        return self._as(compiler, connection, "INSTR({}, {}) > 0")

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        # The prefix ***= makes the rest of a regular expression literal (manual, 9.7.3.4).
        return self._as(compiler, connection, "{} ~ ('***=' || {})")

    def _as(self, compiler: Any, connection: BaseDatabaseWrapper, template: str) -> tuple[str, Any]:
        field, field_parameters = self.process_lhs(compiler, connection)
        text, text_parameters = self.process_rhs(compiler, connection)
        return template.format(field, text), [*field_parameters, *text_parameters]
