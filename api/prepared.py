"""Statements that the ORM compiles once, for what every request asks alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import QuerySet

Row = TypeVar("Row")


class Prepared(Generic[Row]):
    """The rows of a ``values_list``, with other values in the place of those it was made with.

    Compiling a small statement takes several times as long as all else that is done for it.
    """

    def __init__(self, queryset: QuerySet[Any, Any], row: Callable[[Sequence[Any]], Row]) -> None:
        """``row`` makes something of the values of each row."""
        compiler = queryset.query.get_compiler(connection=connection)
        self._sql, self._examples = compiler.as_sql()
        expressions = (expression for expression, _, _ in compiler.select)
        self._converters = [*compiler.get_converters(expressions).items()]
        self._row = row

    def rows(self, *values: Any) -> list[Row]:
        """``values`` are parameters as the database takes them, in the order of the statement."""
        if len(values) != len(self._examples):
            raise ValueError(f"{len(self._examples)} values are needed.")
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            found = cursor.fetchall()
        return [self._row(self._converted(each)) for each in found]

    def _converted(self, values: Sequence[Any]) -> Sequence[Any]:
        """As ``SQLCompiler.apply_converters`` does it, with the connection of this thread."""
        converted = list(values)
        for index, (converters, expression) in self._converters:
            for convert in converters:
                converted[index] = convert(converted[index], expression, connection)
        return converted
