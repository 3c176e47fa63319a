"""The SQL of ``docs/scaling.md`` finds every table with an owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from api.models import ChangeCounter, IdempotencyKey
from api.owned.registry import owned_models
from tests.support.pages import texts
from tests.support.partitioned import PARTITIONS

(PARTITION,) = texts("docs/scaling.md", "sql", "Partitions by owner")
(CITUS,) = texts("docs/scaling.md", "sql", "Several machines")


def tables() -> list[str]:
    models: list[Any] = [*owned_models(), ChangeCounter, IdempotencyKey]
    return sorted(model._meta.db_table for model in models)


def run(sql: str) -> Sequence[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(autouse=True)
def _migrated(_empty_database: None) -> None:
    call_command("migrate", verbosity=0)


def partitioned() -> list[str]:
    return [name for (name,) in run("SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY 1")]


def test_every_table_of_owners_is_partitioned() -> None:
    run(PARTITION)
    assert partitioned() == tables()
    ((count,),) = run("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relispartition")
    assert count == PARTITIONS * len(tables())


def test_a_repeated_run_converts_new_tables_only() -> None:
    run(PARTITION)
    run("CREATE TABLE later (id uuid PRIMARY KEY, owner_id varchar(255) NOT NULL)")
    before = run("SELECT oid FROM pg_class WHERE relname = 'todos_todo'")
    run(PARTITION)
    assert partitioned() == sorted([*tables(), "later"])
    assert run("SELECT oid FROM pg_class WHERE relname = 'todos_todo'") == before


def test_keys_of_a_partitioned_table_survive() -> None:
    run(
        'CREATE TABLE "Kinds" (id int PRIMARY KEY);'
        'CREATE TABLE "Later" (id uuid PRIMARY KEY, owner_id varchar(255) NOT NULL, name text,'
        ' kind_id int REFERENCES "Kinds" DEFERRABLE INITIALLY DEFERRED,'
        " CONSTRAINT once UNIQUE (owner_id, name))"
    )
    definitions = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = '\"Later\"'::regclass AND contype <> 'n' ORDER BY 1"
    )
    before = dict(run(definitions))
    run(PARTITION)
    assert dict(run(definitions)) == before | {"Later_pkey": "PRIMARY KEY (id, owner_id)"}


def test_citus_distributes_every_table_of_owners() -> None:
    query, _ = CITUS.split("\\gexec")
    printed = [statement for row in run(query) for statement in row if statement is not None]
    first = "SELECT create_distributed_table('todos_todo', 'owner_id')"
    assert printed.index(first) == 1  # after its key, and before the tables that go with it
    assert sorted(printed) == sorted(
        [first]
        + [
            f"SELECT create_distributed_table('{table}', 'owner_id', colocate_with => 'todos_todo')"
            for table in tables()
            if table != "todos_todo"
        ]
        + [
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (id, owner_id)"
            for table in tables()
            if not table.startswith("api_")
        ]
    )
