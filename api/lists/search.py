"""Search for a part of a text, without regard to case."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from rest_framework.fields import empty

from api.bodies.text import TextField, folded, normalized


class SearchField(TextField):
    """Text to search for, folded, with the spaces around it. ``max_length`` counts its NFC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=100, allow_blank=True, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return normalized("NFC", super().to_internal_value(data))

    def run_validation(self, data: Any = empty) -> str:
        text = super().run_validation(data)
        return folded(text) if text.strip() else ""  # the search box of a form may be empty


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
