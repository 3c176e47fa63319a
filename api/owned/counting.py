"""The numbers of changes: each write of a row takes the next number of its owner's counter.

Taking a number locks the counter until the transaction ends. The numbers of an owner are therefore
in the order of commits, and who reads one has seen all lower ones. A transaction that locks or
writes several rows takes the counter first: no two transactions then wait for one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.sql import InsertQuery, UpdateQuery

ADVANCE = (
    'INSERT INTO "api_changecounter" ("owner_id", "value", "purged_to", "purges")'
    ' VALUES (%s, %s, 0, 0) ON CONFLICT ("owner_id") DO UPDATE'
    ' SET "value" = "api_changecounter"."value" + excluded."value" RETURNING "value"'
)
# One statement on PostgreSQL, which is one round trip.
COUNTED = f'WITH "counted" AS ({ADVANCE}) {{}} RETURNING "change_number"'
NUMBER = RawSQL('(SELECT "value" FROM "counted")', ())


def advance(owner_id: str, by: int = 1) -> int:
    """Take the next numbers of an owner and return the last of them.

    Needs a transaction around it and the write that is numbered.
    """
    return int(_one("{}", ADVANCE, owner_id, by))


def lock(owner_id: str) -> None:
    """Let other transactions that write rows of the owner wait until this one ends."""
    advance(owner_id, 0)


def insert(row: Any) -> None:
    """Insert a new row of an owner with its number. Sends no signals."""
    model: type[Model] = type(row)
    if _counts_in_one_statement():
        sql, fields = insertion(model, change_number=NUMBER)
        values = _stored_values(row, fields)
        row.change_number = _one(COUNTED, sql, row.owner_id, 1, *values)
    else:
        with transaction.atomic(savepoint=False):
            row.change_number = advance(row.owner_id)
            sql, fields = insertion(model)
            with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                cursor.execute(sql, _stored_values(row, fields))
    row._state.db, row._state.adding = DEFAULT_DB_ALIAS, False  # as Model.save_base() does


def update(rows: QuerySet[Model], owner_id: str, columns: Mapping[str, Any]) -> int | None:
    """Write one row of an owner and return its number, or ``None`` if ``rows`` has no row."""
    if _counts_in_one_statement():
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values({**columns, "change_number": NUMBER})
        sql, parameters = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        number: int | None = _one(COUNTED, sql, owner_id, 1, *parameters)
        return number
    with transaction.atomic(savepoint=False):
        number = advance(owner_id)
        written = QuerySet.update(rows, **columns, change_number=number)
    return number if written else None


def _stored_values(instance: Model, fields: Sequence[Field[Any, Any]]) -> list[Any]:
    """Return the values of a new row as the database stores them."""
    connection = connections[DEFAULT_DB_ALIAS]
    return [
        field.get_db_prep_save(field.pre_save(instance, add=True), connection) for field in fields
    ]


@cache
def insertion(
    model: type[Model], **expressions: Expression
) -> tuple[str, Sequence[Field[Any, Any]]]:
    """Return the SQL that inserts a row, and the fields whose values are its parameters.

    ``expressions`` are values that the database computes.
    """
    fields = model._meta.concrete_fields
    query = InsertQuery(model)
    query.insert_values(fields, [model(**expressions)])
    [(sql, _)] = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
    return sql, [field for field in fields if field.attname not in expressions]


def _counts_in_one_statement() -> bool:
    return connections[DEFAULT_DB_ALIAS].vendor == "postgresql"


def _one(template: str, sql: str, *parameters: Any) -> Any:
    """Run a statement and return the one value that it returns, or ``None``."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(template.format(sql), parameters)
        row = cursor.fetchone()
    return None if row is None else row[0]
