"""Requests that send the statements of todos that other resources do not have."""

from __future__ import annotations

import uuid

from lists.models import TodoList
from tests.support.rows import make_row
from tests.support.scenes import Scene
from todos.tests.finding import EVERY_FILTER

BATCH = "/api/todos/batch/"


def every_filter(scene: Scene) -> None:
    own_list = str(make_row(TodoList).pk)
    for query in (EVERY_FILTER, {**EVERY_FILTER, "list": own_list}):
        assert scene.alice.get("/api/todos/", query).status_code == 200


def batch_of_everything(scene: Scene) -> None:
    target = {"id": str(scene.row.pk)}
    operations = [
        {"op": "create", "title": "x"},
        {"op": "update", **target, "title": "y"},
        *({"op": op, **target} for op in ("complete", "reopen", "delete")),
    ]
    assert scene.post({"operations": operations}, path=BATCH).status_code == 200


def batch_of_what_is_not_there(scene: Scene) -> None:
    operations = [{"op": "delete", "id": str(uuid.uuid4())}]
    assert scene.post({"operations": operations}, path=BATCH).status_code == 400


def repeats_of_an_action(scene: Scene) -> None:
    headers = {"idempotency-key": "k", "if-match": scene.row.etag}
    answers = [scene.post({}, path=f"{scene.path}complete/", **headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]


STORIES = {
    story.__name__: story
    for story in (
        every_filter,
        batch_of_everything,
        batch_of_what_is_not_there,
        repeats_of_an_action,
    )
}
