"""Rows in the tables of version 0.1, written without a model of today."""

from __future__ import annotations

from typing import Any

ALICE, BOB = "alice", "bob \u00e9"
DAY = "2026-02-28 23:59:59.123456"
BY_HAND = "Written by hand"  # the title of a todo with a priority that the API never writes
TODOS, ANSWERS = "todos_todo", "api_idempotencykey"
MANY = 1000


def todo(number: int, **columns: Any) -> dict[str, Any]:
    title = columns.get("title", f"Todo {number}")
    return {
        "id": f"{number:032x}",
        "owner_id": ALICE,
        "title": title,
        "description": "",
        "completed": False,
        "completed_at": None,
        "priority": 0,
        "due_date": None,
        "due_time": None,
        "timezone": None,
        "due_at": None,
        "tags": "[]",
        "created_at": DAY,
        "updated_at": DAY,
        "version": f"version-{number:08}",
        "title_folded": title.casefold(),
        "description_folded": "",
        "tags_folded": "\n",
        **columns,
    }


def answer(key: str, **columns: Any) -> dict[str, Any]:
    return {
        "owner_id": ALICE,
        "path": "/api/todos/",
        "key": key,
        "body_digest": "0" * 64,
        "claimed_at": DAY,
        "status": 201,
        "headers": '{"ETag": "\\"x\\""}',
        "body": '{"title": "\u00e9"}',
        **columns,
    }


ROWS: dict[str, list[dict[str, Any]]] = {
    TODOS: [
        todo(1, title="\u00c9t\u00e9 \U0001f600 \\ '\" %s", description="Two\nlines \t \u00df"),
        todo(2, completed=True, completed_at=DAY),
        *(todo(3 + priority, priority=priority) for priority in (1, 2, 3)),
        todo(7, title=BY_HAND, priority=7),
        todo(8, due_date="9999-12-31"),
        todo(
            9,
            due_date="2026-02-28",
            due_time="08:30:00",
            timezone="Europe/Berlin",
            due_at="2026-02-28 07:30:00",
        ),
        todo(10, tags='["Home", "caf\u00e9"]', tags_folded="\nhome\ncaf\u00e9\n"),
        todo(11, title="x" * 500, description="y" * 10_000),
        todo(12, owner_id=BOB, title="Bob's"),
        *(todo(number, owner_id=f"owner {number % 50}") for number in range(100, 100 + MANY)),
    ],
    ANSWERS: [answer("answered"), answer("in flight", status=None), answer("k", owner_id=BOB)],
}


def insert(cursor: Any, **rows: list[dict[str, Any]]) -> None:
    """Insert rows by the name of their table with a cursor of Django or psycopg."""
    for table, values in rows.items():
        columns = [*values[0]]
        places = ", ".join(["%s"] * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        cursor.executemany(sql, [[*each.values()] for each in values])


def stored(cursor: Any, table: str) -> list[dict[str, Any]]:
    """Return every row with the columns that version 0.1 has."""
    columns = [*ROWS[table][0]]
    cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1, 2, 3")
    return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]
