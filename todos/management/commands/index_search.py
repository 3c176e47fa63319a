from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper

TABLE = "todos_todo"
EXTENSIONS = ("pg_trgm", "btree_gin")
COLUMNS = "owner_id, title_folded gin_trgm_ops, description_folded gin_trgm_ops"


class Command(BaseCommand):
    help = "Create the index that searches (?q=) among many todos of one owner need (PostgreSQL)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drop", action="store_true", help="drop the index")

    def handle(self, *, drop: bool, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has this index: set DATABASE_URL to a PostgreSQL.")
        with connection.cursor() as cursor:
            # Indexing a large table takes minutes, and CONCURRENTLY waits for transactions.
            cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
            if drop:
                _drop(cursor)
            else:
                _make_extensions(cursor)
                _create(cursor)
        self.stdout.write("Dropped the search index." if drop else "Created the search index.")


def _make_extensions(cursor: CursorWrapper) -> None:
    for name in EXTENSIONS:
        try:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {name}")
        except DatabaseError as error:
            raise CommandError(
                f"PostgreSQL refuses to create the extension {name}. Install PostgreSQL's contrib "
                f"package, and let the owner of the database run: CREATE EXTENSION {name};"
            ) from error


def _create(cursor: CursorWrapper) -> None:
    """Create the index without blocking writers. Rebuild one that was left invalid."""
    for table in _tables(cursor):
        index = _index_of(table)
        cursor.execute(
            "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [index]
        )
        if cursor.fetchone() == (True,):
            cursor.execute(f"DROP INDEX CONCURRENTLY {index}")
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {table} USING gin ({COLUMNS})"
        )
    # PostgreSQL attaches the indexes of the partitions to the index of their table.
    cursor.execute(
        f"CREATE INDEX IF NOT EXISTS {_index_of(TABLE)} ON {TABLE} USING gin ({COLUMNS})"
    )


def _drop(cursor: CursorWrapper) -> None:
    tables = _tables(cursor)
    if TABLE not in tables:
        cursor.execute(f"DROP INDEX IF EXISTS {_index_of(TABLE)}")
    for each in tables:
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_index_of(each)}")


def _tables(cursor: CursorWrapper) -> list[str]:
    """List the partitions, or the table itself where there are none."""
    cursor.execute("SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE isleaf", [TABLE])
    return [name for (name,) in cursor.fetchall()] or [TABLE]


def _index_of(table: str) -> str:
    return f"{table}_search"
