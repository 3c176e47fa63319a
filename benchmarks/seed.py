"""Seed equal todos into every database.

The server's own API makes a few. SQL then copies those to every owner, with new ids and times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from psycopg import sql

from benchmarks.installed import CannotRun
from benchmarks.owners import Group, token
from benchmarks.postgres import Database
from benchmarks.subjects import Subject

POSTED_AS = "pattern"
SPAN = timedelta(days=30)
# Todos newer than this were made by a measurement.
NEWEST_AGE = timedelta(hours=1)
PRIORITIES = ("none", "low", "medium", "high")
SUBJECTS = ("home", "work", "phone", "money", "garden", "travel", "health", "books", "car", "cat")

# Columns that are not copied, and their SQL.
OWN_COLUMNS: dict[str, LiteralString] = {
    "id": "overlay(overlay(md5(owner || ' ' || todo) PLACING '4' FROM 13)"
    " PLACING 'a' FROM 17)::uuid",
    "owner_id": "owner",
    "change_number": "NULL",  # the counters of the owners do not know these rows
    "created_at": "moment",
    "updated_at": "moment",
    "completed_at": "CASE WHEN completed THEN moment END",
    "version": "substr(translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/', '-_'),"
    " 1, 16)",
}
# Rows go in by time, so that those of one owner are far apart on disk.
COPYING: LiteralString = """
    CREATE TEMPORARY TABLE patterns AS
        SELECT row_number() OVER (ORDER BY created_at) - 1 AS place, *
        FROM {table} WHERE owner_id = {posted_as};
    DELETE FROM {table} WHERE owner_id = {posted_as};
    INSERT INTO {table} ({columns})
        SELECT {values} FROM (
            SELECT md5(name || ' ' || number) AS owner, todo,
                (todo - 1) % (SELECT count(*) FROM patterns) AS place,
                {newest} - {span} * (1 - todo::float8 / todos_each) AS moment
            FROM (VALUES {groups}) AS groups (name, owners, todos_each),
                generate_series(1, owners) AS number,
                generate_series(1, todos_each) AS todo
        ) AS copies JOIN patterns USING (place)
        ORDER BY moment
"""


def bodies(count: int) -> Iterator[dict[str, Any]]:
    """Make bodies to post. Of ten, one names the garden, one has it as a tag, one is due today."""
    today = datetime.now(UTC).date()
    for number in range(count):
        subject = SUBJECTS[number % 10]
        yield {
            "title": f"Call about the {subject} papers {number:03}",
            "description": f"They wrote that page {number} of the papers is missing: "
            "ask what it is, and by when.",
            "completed": number % 4 == 3,
            "priority": PRIORITIES[number % 4],
            "tags": [subject, f"{subject} {number}"][: number % 3]
            if number % 10 != 4
            else [subject],
            "due_date": str(today + timedelta(days=number % 10 - 4)) if number % 2 == 0 else None,
        }


def seed(
    subject: Subject, port: int, database: Database, groups: Sequence[Group], posted: int
) -> None:
    """Post ``posted`` todos to the server on this port, and copy them to all groups."""
    for body in bodies(posted):
        answer = subject.new(body).send(port, token(POSTED_AS))
        if answer.status != 201:
            raise CannotRun(f"{subject.title} refused a todo: {answer.status} {answer.body!r}")
    database.execute(_copying(subject.table, database, groups))
    settle(subject, database)


def settle(subject: Subject, database: Database) -> None:
    """Return to the seeded state, with current statistics for the planner."""
    table = sql.Identifier(subject.table)
    delete = sql.SQL("DELETE FROM {} WHERE created_at > now() - {} / 2")
    database.execute(delete.format(table, NEWEST_AGE))
    database.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))


def _copying(table: str, database: Database, groups: Sequence[Group]) -> sql.Composed:
    named = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
    columns = [name for (name,) in database.execute(named, [table])]
    return sql.SQL(COPYING).format(
        table=sql.Identifier(table),
        columns=_commas(sql.Identifier(name) for name in columns),
        values=_commas(
            sql.SQL(OWN_COLUMNS[name]) if name in OWN_COLUMNS else sql.Identifier(name)
            for name in columns
        ),
        groups=_commas(
            sql.SQL("({}, {}, {})").format(group.name, group.owners, group.todos_each)
            for group in groups
        ),
        posted_as=POSTED_AS,
        newest=datetime.now(UTC) - NEWEST_AGE,
        span=SPAN,
    )


def _commas(parts: Iterator[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
