"""Statements that the ORM compiles once for all requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import JSONField, Model, QuerySet
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=Model)

DEEPEST = 250  # orjson writes 254 levels and reads 1,024


class Compiled(Generic[Row]):
    """A query of model instances, compiled once and run again with other parameters.

    Compiling a small query takes several times as long as all else that Django does for it.
    So does ``Model.__init__()`` for the 50 rows of a page: the instances are made without it.
    """

    def __init__(self, queryset: QuerySet[Row]) -> None:
        # Without elide_empty=False, Django raises EmptyResultSet for filter(pk__in=[]) and none().
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False)
        self._sql, self._examples = compiler.as_sql()
        columns = [column for column, _, _ in compiler.select]
        self._model = queryset.model
        # An annotation has an alias.
        self._names = [alias or column.target.attname for column, _, alias in compiler.select]
        self._converters = [
            (self._names[index], convert, expression)
            for index, (converters, expression) in compiler.get_converters(columns).items()
            for convert in (
                [_from_json] if isinstance(expression.output_field, JSONField) else converters
            )
        ]

    def rows(self, *parameters: str | int | UUID) -> list[Row]:
        """Run the query with ``parameters`` in the order of its SQL, by default its own."""
        connection = connections[DEFAULT_DB_ALIAS]
        if not connection.features.has_native_uuid_field:
            parameters = tuple(each.hex if isinstance(each, UUID) else each for each in parameters)
        with connection.cursor() as cursor:
            cursor.execute(self._sql, parameters or self._examples)
            rows = cursor.fetchall()
        return [self._instance(values, connection) for values in rows]

    def _instance(self, values: Sequence[Any], connection: Any) -> Row:
        instance = self._model.__new__(self._model)
        columns = vars(instance)
        columns.update(zip(self._names, values, strict=False))
        for name, convert, expression in self._converters:
            if (value := columns[name]) is not None:
                columns[name] = convert(value, expression, connection)
        columns["_state"] = state = ModelState()
        state.db, state.adding = DEFAULT_DB_ALIAS, False
        return instance


def _from_json(value: str, expression: Any, connection: object) -> Any:
    """Read JSON. Return the default of the field for what no answer can contain."""
    try:
        loaded = orjson.loads(value)
        if len(value) > 2 * DEEPEST:
            orjson.dumps([[[loaded]]])  # of a row in a list of an answer
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return expression.target.get_default()
    return loaded
