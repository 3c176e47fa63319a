"""Statements that PostgreSQL prepares once for each connection, and what can become of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest
from django.db import IntegrityError, NotSupportedError, OperationalError, ProgrammingError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from authn.testing import SECRET
from config.connections import POSTGRESQL
from database.postgresql import statements
from database.postgresql.base import DatabaseWrapper
from tests.faults.language import (
    UNLIMITED,
    assert_answered_or_unavailable,
    note,
    token_of,
    wait_for_writes,
)
from tests.faults.load import assert_kept, load, outcomes
from tests.faults.services import Postgres, pgbouncer
from tests.support.processes import Servers

pytestmark = pytest.mark.faults

ALL = "SELECT name, amount FROM things WHERE name = %s OR 1 = %s ORDER BY amount"


def connected(url: str) -> DatabaseWrapper:
    address, _, name = url.removeprefix("postgres://todos@").partition("/")
    host, _, port = address.partition(":")
    there = {"HOST": host, "PORT": port, "NAME": name, "USER": "todos"}
    settings = {**POSTGRESQL, "ENGINE": "database.postgresql", **there}
    wrapper = ConnectionHandler({"default": settings})["default"]
    assert isinstance(wrapper, DatabaseWrapper)
    return wrapper


@pytest.fixture
def wrapper(database: Postgres, django_db_blocker: DjangoDbBlocker) -> Iterator[DatabaseWrapper]:
    """The connection of a thread, to a table with two rows."""
    with django_db_blocker.unblock():
        wrapper = connected(database.new_database())
        with wrapper.cursor() as cursor:
            cursor.execute("CREATE TABLE things (name text PRIMARY KEY, amount integer)")
            cursor.execute("INSERT INTO things VALUES ('a', 1), ('b', 2)")
        yield wrapper
        wrapper.close()


def prepared(wrapper: DatabaseWrapper) -> int:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


def test_no_result_is_kept_after_its_rows_are_read(wrapper: DatabaseWrapper) -> None:
    assert len(wrapper.rows_of(ALL, ["a", 1])) == 2
    assert wrapper._statements._transformer.pgresult is None


def pid(wrapper: DatabaseWrapper) -> int:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_one_is_prepared_once_and_answers_each_value(wrapper: DatabaseWrapper) -> None:
    for _ in range(3):
        assert wrapper.rows_of(ALL, ["a", 0]) == [("a", 1)]
        assert wrapper.rows_of(ALL, ["b", 0]) == [("b", 2)]
        assert wrapper.rows_of(ALL, ["", 1]) == [("a", 1), ("b", 2)]
    assert prepared(wrapper) == 1


VALUES = {
    "text": "100 % of ' \" \\ é \N{PILE OF POO}",
    "boolean": True,
    "smallint": 3,
    "uuid": uuid.UUID("5f5473a7-17f9-4da9-ad2e-4b36f5152a23"),
    "date": date(2026, 2, 28),
    "time": time(23, 59),
    "timestamptz": datetime(2026, 2, 28, 12, 0, 0, 123456, tzinfo=UTC),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_a_cursor_brings_it(wrapper: DatabaseWrapper, name: str) -> None:
    sql = f"SELECT %s::{name}, %s::{name}, '%%s %%'"
    assert wrapper.rows_of(sql, [VALUES[name], None]) == [(VALUES[name], None, "%s %")]


def test_what_the_server_has_forgotten_is_prepared_again(wrapper: DatabaseWrapper) -> None:
    wrapper.rows_of(ALL, ["a", 0])
    with wrapper.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    for _ in range(2):
        assert wrapper.rows_of(ALL, ["a", 0]) == [("a", 1)]
    assert prepared(wrapper) == 1


def test_a_migration_may_change_the_type_of_a_column(wrapper: DatabaseWrapper) -> None:
    wrapper.rows_of(ALL, ["a", 0])
    with wrapper.cursor() as cursor:
        cursor.execute("ALTER TABLE things ALTER COLUMN amount TYPE text")
    assert wrapper.rows_of(ALL, ["a", 0]) == [("a", "1")]


def test_in_a_transaction_that_costs_one_error(wrapper: DatabaseWrapper) -> None:
    wrapper.rows_of(ALL, ["a", 0])
    with wrapper.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    wrapper.set_autocommit(False)
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
    with pytest.raises(ProgrammingError):
        wrapper.rows_of(ALL, ["a", 0])
    wrapper.rollback()
    wrapper.set_autocommit(True)
    assert wrapper.rows_of(ALL, ["a", 0]) == [("a", 1)]


def test_there_are_never_more_than_the_server_is_to_keep(
    wrapper: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "MAX_PREPARED", 3)
    for number in range(6):
        assert wrapper.rows_of(f"SELECT {number} + %s::int", [1]) == [(number + 1,)]
    assert prepared(wrapper) == 3


def test_what_breaks_a_rule_is_an_error_of_the_framework(wrapper: DatabaseWrapper) -> None:
    insertion = "INSERT INTO things VALUES (%s, %s)"
    assert wrapper.rows_of(insertion, ["c", 3]) == []
    with pytest.raises(IntegrityError, match="things_pkey"):
        wrapper.rows_of(insertion, ["c", 3])
    assert len(wrapper.rows_of(ALL, ["", 1])) == 3


def test_what_is_rolled_back_was_part_of_the_transaction(wrapper: DatabaseWrapper) -> None:
    insertion = "INSERT INTO things VALUES (%s, %s)"
    wrapper.rows_of(insertion, ["c", 3])
    wrapper.set_autocommit(False)
    for name in ("d", "e"):  # the first of them begins it
        wrapper.rows_of(insertion, [name, 3])
    wrapper.rollback()
    wrapper.set_autocommit(True)
    assert len(wrapper.rows_of(ALL, ["", 1])) == 3


def test_a_connection_that_ends_is_an_outage_once(
    wrapper: DatabaseWrapper, database: Postgres
) -> None:
    wrapper.rows_of(ALL, ["a", 0])
    database.end_connections(database.database_url(wrapper.settings_dict["NAME"]))
    with pytest.raises(OperationalError):
        wrapper.rows_of(ALL, ["a", 0])
    wrapper.close_if_unusable_or_obsolete()
    assert wrapper.rows_of(ALL, ["a", 0]) == [("a", 1)]


def test_of_a_connection_that_has_ended_before_a_request_it_hears_nothing(
    wrapper: DatabaseWrapper, database: Postgres
) -> None:
    wrapper.rows_of(ALL, ["a", 0])
    first = pid(wrapper)
    wrapper.close_if_unusable_or_obsolete()  # a request has ended
    database.end_connections(database.database_url(wrapper.settings_dict["NAME"]))
    assert wrapper.rows_of(ALL, ["a", 0]) == [("a", 1)]
    assert pid(wrapper) != first


def test_nor_of_one_that_had_an_error_in_the_request_before(
    wrapper: DatabaseWrapper, database: Postgres
) -> None:
    with pytest.raises(ProgrammingError):
        wrapper.rows_of("SELECT nothing", [])
    wrapper.close_if_unusable_or_obsolete()
    database.end_connections(database.database_url(wrapper.settings_dict["NAME"]))
    assert wrapper.rows_of(ALL, ["a", 0]) == [("a", 1)]


def test_what_is_always_refused_is_refused_once(wrapper: DatabaseWrapper) -> None:
    refused = "SELECT raise(%s)"
    with wrapper.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION raise(integer) RETURNS integer LANGUAGE plpgsql AS "
            "'BEGIN RAISE EXCEPTION USING ERRCODE = ''0A000''; END'"
        )
    for _ in range(3):
        with pytest.raises(NotSupportedError):
            wrapper.rows_of(refused, [1])
    assert prepared(wrapper) == 3


class TestPooler:
    """Each statement may reach another server than the one before."""

    def test_nothing_is_prepared(self, wrapper: DatabaseWrapper, database: Postgres) -> None:
        url = database.database_url(wrapper.settings_dict["NAME"])
        with pgbouncer(database, connections=1) as pooler:
            pooled = connected(pooler.database_url(url))
            for name, amount in (("a", 1), ("b", 2)):
                assert pooled.rows_of(ALL, [name, 0]) == [(name, amount)]
            assert prepared(pooled) == 0
            pooled.close()

    def test_servers_under_load_share_its_connections(
        self, servers: Servers, database: Postgres
    ) -> None:
        token = token_of("alice")
        with pgbouncer(database, connections=3) as pooler:
            url = pooler.database_url(database.new_database())
            api = servers.api(secret=SECRET, DATABASE_URL=url, WEB_CONCURRENCY="2", **UNLIMITED)
            with load(api, token) as attempts:
                wait_for_writes(attempts, 200)
            note(attempts)
            assert {*outcomes(attempts)} == {"201", "200"}
            assert_kept(api, token, attempts)

    def test_one_that_ignores_no_parameter_works_where_none_is_sent(
        self, servers: Servers, database: Postgres
    ) -> None:
        token = token_of("alice")
        with pgbouncer(database, connections=3, ignored="") as pooler:
            url = pooler.database_url(database.new_database())
            api = servers.api(secret=SECRET, DATABASE_URL=f"{url}?options=", **UNLIMITED)
            assert api.get("/readyz", token).status == 200
            assert api.post("/api/todos/", token, {"title": "One"}).status == 201

    def test_servers_that_are_killed_behind_it_are_an_outage_and_no_more(
        self, servers: Servers, database: Postgres
    ) -> None:
        token = token_of("alice")
        with pgbouncer(database, connections=3) as pooler:
            name = database.new_database()
            url = pooler.database_url(name)
            api = servers.api(secret=SECRET, DATABASE_URL=url, WEB_CONCURRENCY="2", **UNLIMITED)
            with load(api, token) as attempts:
                for _ in range(30):
                    wait_for_writes(attempts, 10)
                    database.end_connections(name)
                wait_for_writes(attempts, 50)
            note(attempts)
            assert_answered_or_unavailable(attempts)
            assert_kept(api, token, attempts)
