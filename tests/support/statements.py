"""A recorder of SQL statements, and requests that send every kind of them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.utils.timezone import now

from api.models import ABANDONED_AFTER, IdempotencyKey
from todos.models import Todo
from todos.tests.conftest import Meanwhile
from todos.tests.factories import make_todo
from todos.tests.finding import EVERY_FILTER
from todos.tests.walking import walk
from todos.views import TodoViewSet

TABLES = (Todo._meta.db_table, IdempotencyKey._meta.db_table)
ABOUT_ROWS = re.compile(f'"({"|".join(TABLES)})"')
# The owner, compared outside of every OR.
OWNED = re.compile(
    rf""" WHERE \(?(?:"\w+"\."\w+" [<>=]+ %s AND )*{ABOUT_ROWS.pattern}\."owner_id" = %s(?! OR )"""
)
MISS = 'SELECT %s AS "a" FROM "todos_todo" WHERE "todos_todo"."id" = %s LIMIT 1'


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for the driver: ``sql`` has a ``%s`` for each of ``parameters``."""

    sql: str
    parameters: tuple[Any, ...]

    @property
    def kind(self) -> str:
        """Such as ``"SELECT todos_todo"``."""
        table = ABOUT_ROWS.search(self.sql)
        assert table
        return f"{self.sql.split()[0]} {table[1]}"

    @property
    def owner(self) -> Any:
        """The only owner whose rows the statement can reach; ``None`` if it names none."""
        owned = OWNED.search(self.sql)
        return self.parameters[self.sql[: owned.end()].count("%s") - 1] if owned else None

    @property
    def is_insert(self) -> bool:
        return self.sql.startswith("INSERT ")

    @property
    def is_miss(self) -> bool:
        """Recognise the statement that tells 403 from 404."""
        return self.sql == MISS


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Collect the statements about todos and stored answers."""
    statements: list[Statement] = []

    def record(execute: Callable[..., Any], sql: str, parameters: Any, *rest: Any) -> Any:
        if ABOUT_ROWS.search(sql):
            statements.append(Statement(sql, tuple(parameters or ())))
        return execute(sql, parameters, *rest)

    with connection.execute_wrapper(record):
        yield statements


@dataclass(frozen=True, slots=True)
class Scene:
    """Alice, her todo, and a way to act in the middle of her next request."""

    alice: Client
    todo: Todo
    meanwhile: Meanwhile

    def post(self, body: Any, *, path: str = "/api/todos/", **headers: str) -> Any:
        return self.alice.post(path, body, content_type="application/json", headers=headers)

    def patch(self) -> Any:
        return self.alice.patch(self._path, {"title": "x"}, content_type="application/json")

    def delete(self) -> Any:
        return self.alice.delete(self._path)

    def complete(self, **headers: str) -> Any:
        return self.post({}, path=f"{self._path}complete/", **headers)

    def change_meanwhile(self) -> None:
        self.meanwhile(
            lambda: Todo.objects.get(owner_id="alice", pk=self.todo.pk).change(title="y")
        )

    def remove_meanwhile(self) -> None:
        self.meanwhile(self.todo.remove)

    @property
    def _path(self) -> str:
        return f"/api/todos/{self.todo.pk}/"


def every_page(scene: Scene) -> None:
    for number in range(3):
        make_todo(due_date="2026-01-01" if number else None)
    for ordering in TodoViewSet.orderings:
        for sign in ("", "-"):
            pages = walk(scene.alice, f"/api/todos/?limit=1&ordering={sign}{ordering}")
            walk(scene.alice, pages[-1]["previous"], "previous")


def every_filter(scene: Scene) -> None:
    assert scene.alice.get("/api/todos/", EVERY_FILTER).status_code == 200


def batch_of_everything(scene: Scene) -> None:
    target = {"id": str(scene.todo.pk)}
    operations = [
        {"op": "create", "title": "x"},
        {"op": "update", **target, "title": "y"},
        *({"op": op, **target} for op in ("complete", "reopen", "delete")),
    ]
    assert scene.post({"operations": operations}, path="/api/todos/batch/").status_code == 200


def batch_of_what_is_not_there(scene: Scene) -> None:
    operations = [{"op": "delete", "id": str(uuid.uuid4())}]
    assert scene.post({"operations": operations}, path="/api/todos/batch/").status_code == 400


def repeats(scene: Scene) -> None:
    answers = [
        scene.post({"title": title}, **{"idempotency-key": key})
        for key, title in (("k", "x"), ("k", "x"), ("k", "y"), ("refused", ""))
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 422, 400]


def repeats_of_an_action(scene: Scene) -> None:
    headers = {"idempotency-key": "k", "if-match": scene.todo.etag}
    assert [scene.complete(**headers).status_code for _ in range(2)] == [200, 200]


def repeats_of_a_deletion(scene: Scene) -> None:
    path = f"/api/todos/{scene.todo.pk}/"
    headers = {"idempotency-key": "k", "if-match": scene.todo.etag}
    assert [scene.alice.delete(path, headers=headers).status_code for _ in range(2)] == [204, 204]


def taking_over_what_was_abandoned(scene: Scene) -> None:
    headers = {"idempotency-key": "abandoned"}
    scene.post({"title": "x"}, **headers)
    # A value: Citus updates no column by an interval, whose meaning depends on the session.
    abandoned = now() - ABANDONED_AFTER - timedelta(seconds=1)
    rows = IdempotencyKey.objects.filter(owner_id="alice", key="abandoned")
    assert rows.update(status=None, claimed_at=abandoned) == 1
    assert scene.post({"title": "x"}, **headers).status_code == 201


def a_change_that_is_overtaken(scene: Scene) -> None:
    scene.change_meanwhile()
    assert scene.patch().status_code == 200


def a_deletion_that_is_overtaken(scene: Scene) -> None:
    scene.change_meanwhile()
    assert scene.delete().status_code == 204


def a_change_of_what_is_deleted_meanwhile(scene: Scene) -> None:
    scene.remove_meanwhile()
    assert scene.patch().status_code == 404


STORIES: Mapping[str, Callable[[Scene], None]] = {
    story.__name__.replace("_", " "): story
    for story in (
        every_page,
        every_filter,
        batch_of_everything,
        batch_of_what_is_not_there,
        repeats,
        repeats_of_an_action,
        repeats_of_a_deletion,
        taking_over_what_was_abandoned,
        a_change_that_is_overtaken,
        a_deletion_that_is_overtaken,
        a_change_of_what_is_deleted_meanwhile,
    )
}
