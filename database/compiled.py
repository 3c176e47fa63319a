"""Statements that the ORM compiles once, for what every request asks alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, JSONField, Model, QuerySet
from django.db.models.sql import InsertQuery

Row = TypeVar("Row")
Made = TypeVar("Made", bound=Model)


class Prepared(Generic[Row]):
    """The rows of a ``values_list``, with other values in the place of those it was made with.

    Compiling a small statement takes several times as long as all else that is done for it.
    """

    def __init__(self, queryset: QuerySet[Any, Any], row: Callable[[Sequence[Any]], Row]) -> None:
        """``row`` makes something of the values of each row."""
        compiler = queryset.query.get_compiler(connection=connections[DEFAULT_DB_ALIAS])
        self._sql, self._examples = compiler.as_sql()
        expressions = (expression for expression, _, _ in compiler.select)
        self._converters = [*compiler.get_converters(expressions).items()]
        self._row = row

    def rows(self, *values: str | UUID) -> list[Row]:
        """``values`` are in the order of the statement."""
        if len(values) != len(self._examples):
            raise ValueError(f"{len(self._examples)} values are needed.")
        connection = connections[DEFAULT_DB_ALIAS]
        if not connection.features.has_native_uuid_field:
            values = tuple(each.hex if isinstance(each, UUID) else each for each in values)
        found = rows_of(connection, self._sql, values)
        if self._converters:
            found = [self._converted(each, connection) for each in found]
        return [*map(self._row, found)]

    def _converted(self, values: Sequence[Any], connection: BaseDatabaseWrapper) -> Sequence[Any]:
        """As ``SQLCompiler.apply_converters`` does it, with the connection of this thread."""
        converted = list(values)
        for index, (converters, expression) in self._converters:
            for convert in converters:
                converted[index] = convert(converted[index], expression, connection)
        return converted


def insert(model: type[Made], columns: Mapping[str, Any]) -> Made:
    """A new row, which has all of its columns given, and what the ORM makes of one it loads.

    Sends no ``pre_save`` or ``post_save``, and asks no field for its ``pre_save``.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    insertion = _insertion(model, connection.vendor)
    values = [columns[name] for name in insertion.names]
    sent = [*values]
    for index, field in insertion.converted:
        sent[index] = field.get_db_prep_save(values[index], connection)
    rows_of(connection, insertion.sql, sent)
    return model.from_db(DEFAULT_DB_ALIAS, insertion.names, values)


class Insertion(NamedTuple):
    sql: str
    names: list[str]
    # The driver of PostgreSQL takes every value as it is, but JSON.
    converted: list[tuple[int, Field[Any, Any]]]


@cache
def _insertion(model: type[Model], vendor: str) -> Insertion:
    fields = model._meta.concrete_fields  # noqa: SLF001 - public by name
    query = InsertQuery(model)
    query.insert_values(fields, [model()])
    [(sql, _)] = query.get_compiler(connection=connections[DEFAULT_DB_ALIAS]).as_sql()
    return Insertion(
        sql,
        [field.attname for field in fields],
        [
            (index, field)
            for index, field in enumerate(fields)
            if vendor != "postgresql" or isinstance(field, JSONField)
        ],
    )


def rows_of(
    connection: BaseDatabaseWrapper, sql: str, values: Sequence[Any]
) -> list[Sequence[Any]]:
    """By a cursor, unless the backend has something faster."""
    if faster := getattr(connection, "rows_of", None):
        return faster(sql, values)  # type: ignore[no-any-return]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []
