"""Requests that send every kind of statement about the rows of a resource.

An app adds its own in ``<app>/tests/stories.py``, or has a better story of the same name there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from rest_framework import serializers

from api.models import ABANDONED_AFTER, IdempotencyKey
from api.owned.fields import links_of, links_to
from api.owned.filters import LinkParameter
from api.owned.registry import Resource
from tests.support.apps import declared
from tests.support.routes import RESOURCES
from tests.support.rows import make_row
from tests.support.scenes import Scene
from todos.tests.walking import walk

Story = Callable[[Scene], None]


def every_page(scene: Scene) -> None:
    scene.make()
    for _ in range(2):
        scene.post(scene.example)  # may set what is null in the other rows
    for ordering in scene.resource.view.orderings:
        for sign in ("", "-"):
            pages = walk(scene.alice, f"{scene.resource.path}?limit=1&ordering={sign}{ordering}")
            walk(scene.alice, pages[-1]["previous"], "previous")


def changes_since_a_position(scene: Scene) -> None:
    scene.make()
    for since in (0, 1):
        answer = scene.alice.get(f"{scene.resource.path}changes/", {"since": since})
        assert answer.json()["documents"]


def every_filter(scene: Scene) -> None:
    # One at a time: PostgreSQL reads no row for two that exclude each other.
    for name, field in scene.resource.view.filterset_class().fields.items():
        answer = scene.alice.get(scene.resource.path, {name: valid_value(field)})
        assert answer.status_code == 200, f"Write every_filter in a stories.py: {answer.json()}"


def repeats(scene: Scene) -> None:
    bodies = [("k", scene.example), ("k", scene.example), ("k", {}), ("refused", {"owner_id": 1})]
    answers = [scene.post(body, **{"idempotency-key": key}) for key, body in bodies]
    assert [answer.status_code for answer in answers] == [201, 201, 422, 400]


def creates_with_ids_of_the_client(scene: Scene) -> None:
    body = {**scene.example, "id": str(uuid.uuid4())}
    taken = {**scene.example, "id": str(make_row(scene.resource.view.model, owner_id="bob").pk)}
    answers = [scene.post(each).status_code for each in (body, body, taken)]
    assert answers == [201, 200, 409]


def repeats_of_a_change(scene: Scene) -> None:
    headers = {"idempotency-key": "k", "if-match": scene.row.etag}
    assert [scene.patch(scene.example, **headers).status_code for _ in range(2)] == [200, 200]


def repeats_of_a_deletion(scene: Scene) -> None:
    headers = {"idempotency-key": "k", "if-match": scene.row.etag}
    assert [scene.delete(**headers).status_code for _ in range(2)] == [204, 204]


def taking_over_what_was_abandoned(scene: Scene) -> None:
    key = str(scene.row.pk)
    headers = {"idempotency-key": key}
    scene.post(scene.example, **headers)
    rows = IdempotencyKey.objects.filter(owner_id="alice", key=key)
    abandoned = rows.get().claimed_at - ABANDONED_AFTER - timedelta(seconds=1)
    assert rows.update(status=None, claimed_at=abandoned) == 1
    assert scene.post(scene.example, **headers).status_code == 201


def links_to_other_rows(scene: Scene) -> None:
    links = links_of(scene.resource.view.model)
    body = {link.attname: str(make_row(link.related_model).pk) for link in links}
    assert scene.patch(body).status_code == 200


def a_deletion_of_what_others_link_to(scene: Scene) -> None:
    for link in links_to(scene.resource.view.model):
        make_row(link.model, **{link.attname: scene.row.pk})
    assert scene.delete().status_code == 204


def the_trash(scene: Scene) -> None:
    trash = f"{scene.resource.path}trash/"
    for ordering in ("deleted_at", "-deleted_at"):
        for _ in range(2):
            scene.make().remove()
        pages = walk(scene.alice, f"{trash}?limit=1&ordering={ordering}")
        walk(scene.alice, pages[-1]["previous"], "previous")
    assert scene.delete().status_code == 204
    for _ in range(2):
        assert scene.post({}, path=f"{scene.path}restore/").status_code == 200


def a_permanent_deletion(scene: Scene) -> None:
    scene.row.remove()
    assert scene.alice.delete(f"{scene.path}?permanent=true").status_code == 204


def a_change_that_is_overtaken(scene: Scene) -> None:
    scene.change_meanwhile()
    assert scene.patch(scene.example).status_code == 200


def a_deletion_that_is_overtaken(scene: Scene) -> None:
    scene.change_meanwhile()
    assert scene.delete().status_code == 204


def a_change_of_what_is_deleted_meanwhile(scene: Scene) -> None:
    scene.remove_meanwhile()
    assert scene.patch(scene.example).status_code == 404


def a_push_of_an_edit_and_a_deletion(scene: Scene) -> None:
    edit, deletion = ({"id": str(each.pk), **scene.example} for each in (scene.row, scene.make()))
    changes = [{"newDocumentState": each} for each in (edit, {**deletion, "deleted": True})]
    path = f"{scene.resource.path}sync/"
    for change in changes:
        (change["assumedMasterState"],) = scene.post([change], path=path).json()["conflicts"]
    answer = scene.post(changes, path=path)
    assert answer.json() == {"conflicts": [], "rejected": []}


OF_EVERY_RESOURCE: dict[str, Story] = {
    story.__name__: story
    for story in (
        every_page,
        changes_since_a_position,
        every_filter,
        repeats,
        creates_with_ids_of_the_client,
        repeats_of_a_change,
        repeats_of_a_deletion,
        taking_over_what_was_abandoned,
        links_to_other_rows,
        a_deletion_of_what_others_link_to,
        the_trash,
        a_permanent_deletion,
        a_change_that_is_overtaken,
        a_deletion_that_is_overtaken,
        a_change_of_what_is_deleted_meanwhile,
        a_push_of_an_edit_and_a_deletion,
    )
}


def stories() -> Iterator[tuple[Resource, str, Story]]:
    for resource in RESOURCES:
        app = resource.view.model._meta.app_config.name
        own = declared(app, "stories").get("STORIES", {})
        for name, story in {**OF_EVERY_RESOURCE, **own}.items():
            yield resource, name.replace("_", " "), story


every_story = pytest.mark.parametrize(
    ("resource", "story"),
    [
        pytest.param(resource, story, id=f"{resource.plural}: {name}")
        for resource, name, story in stories()
    ],
)


def valid_value(field: Any) -> str:
    match field:
        case LinkParameter():
            return str(make_row(field.target).pk)
        case serializers.ListField():
            return valid_value(field.child)
        case serializers.BooleanField():
            return "false"
        case serializers.IntegerField():
            return str(field.min_value or 0)
        case serializers.ChoiceField():
            return str(next(iter(field.choices)))
        case serializers.DateTimeField():
            return "2000-01-01T00:00:00Z"
        case serializers.DateField():
            return "2000-01-01"
        case serializers.UUIDField():
            return str(uuid.uuid4())
    return "x"
