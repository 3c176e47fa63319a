"""Statements that the ORM compiles once for all requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model, QuerySet
from django.db.models.sql import InsertQuery

Row = TypeVar("Row")
Made = TypeVar("Made", bound=Model)


class Prepared(Generic[Row]):
    """A ``values_list()`` query compiled once and run again with other parameters.

    Compiling a small query takes several times as long as all else that Django does for it.
    """

    def __init__(self, queryset: QuerySet[Any, Any], row: Callable[[Sequence[Any]], Row]) -> None:
        """``row`` turns the values of one row into what ``rows()`` returns."""
        self._query = queryset.query
        compiler = self._query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, _ = compiler.as_sql()
        self._converters = compiler.get_converters(column for column, _, _ in compiler.select)
        self._row = row

    def rows(self, *parameters: str | UUID) -> list[Row]:
        """Run the query with ``parameters`` in the order of its SQL."""
        connection = connections[DEFAULT_DB_ALIAS]
        if not connection.features.has_native_uuid_field:
            parameters = tuple(each.hex if isinstance(each, UUID) else each for each in parameters)
        with connection.cursor() as cursor:
            cursor.execute(self._sql, parameters)
            rows = cursor.fetchall()
        if self._converters:
            compiler = self._query.get_compiler(connection=connection)
            rows = compiler.apply_converters(rows, self._converters)
        return [*map(self._row, rows)]


def insert(model: type[Made], columns: Mapping[str, Any]) -> Made:
    """Insert a row that has a value for every column, and return its instance.

    Sends no ``pre_save`` or ``post_save``, and calls no ``Field.pre_save()``.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    sql, fields = _insertion(model)
    names = [field.attname for field in fields]
    values = [columns[name] for name in names]
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            [
                field.get_db_prep_save(value, connection)
                for field, value in zip(fields, values, strict=True)
            ],
        )
    return model.from_db(DEFAULT_DB_ALIAS, names, values)


@cache
def _insertion(model: type[Model]) -> tuple[str, Sequence[Field[Any, Any]]]:
    fields = model._meta.concrete_fields  # noqa: SLF001 - public by name
    query = InsertQuery(model)
    query.insert_values(fields, [model()])
    [(sql, _)] = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
    return sql, fields
