"""A recorder of SQL statements about the rows of owners."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

from api.models import ChangeCounter, IdempotencyKey
from api.owned.counting import COUNTED as COUNTED_SQL
from api.owned.fields import links_of
from api.owned.registry import owned_models

MODELS: list[type[Model]] = [*owned_models(), ChangeCounter, IdempotencyKey]
A_CHANGE = 1 if connection.vendor == "postgresql" else 2  # statements that write a row
TABLES = [model._meta.db_table for model in MODELS]
READS = {f"SELECT {model._meta.db_table}" for model in owned_models()}
LINKS = [link.column for model in owned_models() for link in links_of(model)]
# Or a row as it was read, or the links to a row that goes, which are emptied in the trash too.
OUTSIDE_TRASH = re.compile(
    rf""""deleted_at" IS NULL(?! OR )|"version" = %s|"({"|".join(LINKS)})" = %s AND NOT \("""
)
ABOUT_ROWS = re.compile(f'"({"|".join(TABLES)})"')
# The owner, compared outside of every OR.
OWNED = re.compile(
    r' WHERE \(?(?:"\w+"\."\w+" (?:[<>=]+ %s|IS NULL) AND )*'
    rf'{ABOUT_ROWS.pattern}\."owner_id" = %s(?! OR )'
)
MISSES = [
    f'SELECT %s AS "a" FROM "{each}" WHERE {condition} LIMIT 1'
    for each in TABLES
    for condition in (
        (
            f'("{each}"."deleted_at" IS NULL AND "{each}"."id" = %s'
            f' AND NOT ("{each}"."owner_id" = %s))'
        ),
        f'"{each}"."id" = %s',  # of a new row with an id of the client
    )
]
COUNTED = COUNTED_SQL.split("{}", maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for the driver: ``sql`` has a ``%s`` for each of ``parameters``."""

    sql: str
    parameters: tuple[Any, ...]

    @property
    def main(self) -> str:
        """The statement without the counting of a change, which begins it on PostgreSQL."""
        return self.sql.removeprefix(COUNTED)

    @property
    def kind(self) -> str:
        """Such as ``"SELECT todos_todo"``."""
        table = ABOUT_ROWS.search(self.main)
        assert table
        return f"{self.main.split()[0]} {table[1]}"

    @property
    def owner(self) -> Any:
        """The only owner whose rows the statement can reach; ``None`` if it names none."""
        owned = OWNED.search(self.sql)
        return self.parameters[self.sql[: owned.end()].count("%s") - 1] if owned else None

    @property
    def finds_trash(self) -> bool:
        """Tell if the statement looks for rows in the trash."""
        return self.kind in READS and not OUTSIDE_TRASH.search(self.sql)

    @property
    def is_insert(self) -> bool:
        return self.main.startswith("INSERT ")

    @property
    def is_miss(self) -> bool:
        """Recognise the look-up of an id among the rows of all owners."""
        return self.sql in MISSES


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Collect the statements about rows of owners and stored answers."""
    statements: list[Statement] = []

    def record(execute: Callable[..., Any], sql: str, parameters: Any, *rest: Any) -> Any:
        if ABOUT_ROWS.search(sql):
            statements.append(Statement(sql, tuple(parameters or ())))
        return execute(sql, parameters, *rest)

    with connection.execute_wrapper(record):
        yield statements
