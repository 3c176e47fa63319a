from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup


class Holds(Lookup):
    """``field__holds="text"``: the text is in the field, to the letter.

    ``LIKE`` compares the two anew from each character on, so that a long text of few letters
    takes their product. What is used here takes their sum.
    """

    lookup_name = "holds"

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        field, field_parameters = self.process_lhs(compiler, connection)
        text, text_parameters = self.process_rhs(compiler, connection)
        return f"INSTR({field}, {text}) > 0", [*field_parameters, *text_parameters]

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        field, field_parameters = self.process_lhs(compiler, connection)
        text, text_parameters = self.process_rhs(compiler, connection)
        # A regular expression whose director says that it is none (PostgreSQL manual, 9.7.3.4).
        return f"{field} ~ ('***=' || {text})", [*field_parameters, *text_parameters]
