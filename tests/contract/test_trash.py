"""Every resource has a trash: DELETE, ``trash/``, ``restore/`` and ``?permanent=true``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django import Settings

from api.owned.fields import links_to
from api.owned.filters import LinkParameter
from api.owned.registry import Resource, resources
from tests.support.problems import problem, without_instance
from tests.support.routes import ROUTES, ask, every_resource
from tests.support.rows import make_row
from todos.tests.walking import shown, walk

pytestmark = [pytest.mark.django_db, every_resource]

JSON = "application/json"
OF_THE_TRASH = ("trash/", "restore/")  # ends of routes that reach it


def path_to(resource: Resource, row: Any) -> str:
    return f"{resource.path}{row.pk}/"


def in_trash(resource: Resource, **age: float) -> Any:
    """Store a row of Alice's that was deleted a time of this ``age`` ago."""
    row = make_row(resource.view.model)
    row.remove()
    if age:
        row.deleted_at -= timedelta(**age)
        resource.view.model.objects.filter(pk=row.pk).write(deleted_at=row.deleted_at)
    return row


def restore(client: Client, resource: Resource, row: Any, **headers: str) -> Any:
    path = f"{path_to(resource, row)}restore/"
    return client.post(path, content_type=JSON, headers=headers)


def ids_in_trash(client: Client, resource: Resource) -> list[str]:
    answer = client.get(f"{resource.path}trash/")
    assert answer.status_code == 200
    return [each["id"] for each in answer.json()["results"]]


def test_a_deleted_row_is_in_the_trash_of_its_owner(
    alice: Client, bob: Client, resource: Resource
) -> None:
    row, live = make_row(resource.view.model), make_row(resource.view.model)
    before = alice.get(path_to(resource, row)).json()
    assert before["deleted_at"] is None
    assert alice.delete(path_to(resource, row)).status_code == 204
    (found,) = alice.get(f"{resource.path}trash/").json()["results"]
    changed = {"deleted_at", "updated_at", "etag"}
    assert {name for name in found if found[name] != before[name]} == changed
    assert before["updated_at"] < found["deleted_at"] <= found["updated_at"]
    assert [*found][-4:] == ["created_at", "updated_at", "deleted_at", "etag"]
    assert [each["id"] for each in alice.get(resource.path).json()["results"]] == [str(live.pk)]
    assert ids_in_trash(bob, resource) == []


def test_a_restored_row_is_as_it_was(alice: Client, resource: Resource) -> None:
    row = make_row(resource.view.model)
    before = alice.get(path_to(resource, row)).json()
    alice.delete(path_to(resource, row))
    answer = restore(alice, resource, row)
    assert (answer.status_code, answer["ETag"]) == (200, answer.json()["etag"])
    assert alice.get(path_to(resource, row)).json() == answer.json()
    changed = {"updated_at", "etag"}
    assert {name for name, value in answer.json().items() if value != before[name]} == changed
    assert ids_in_trash(alice, resource) == []


def test_restoring_a_live_row_changes_nothing(alice: Client, resource: Resource) -> None:
    row = make_row(resource.view.model)
    answer = restore(alice, resource, row)
    assert (answer.status_code, answer["ETag"]) == (200, row.etag)


def test_a_row_in_the_trash_is_missing_on_every_other_route(
    alice: Client, bob: Client, resource: Resource
) -> None:
    row = in_trash(resource)
    routes = [
        (route, method)
        for route, rule in ROUTES.items()
        for method in (*rule.answers, "TRACE")
        if route.startswith(f"{resource.path}<") and not route.endswith(OF_THE_TRASH)
    ]
    assert len(routes) >= 7
    for route, method in routes:
        for client in (alice, bob):
            assert ask(client, method, route, row.pk).status_code == 404
    assert resource.view.model.objects.get().version == row.version


def test_a_strangers_trash_is_missing(alice: Client, bob: Client, resource: Resource) -> None:
    row, other = in_trash(resource), make_row(resource.view.model)
    other.pk = uuid4()
    foreign, missing = (restore(bob, resource, each) for each in (row, other))
    assert foreign.status_code == missing.status_code == 404
    assert without_instance(foreign.json()) == without_instance(missing.json())
    assert bob.delete(f"{path_to(resource, row)}?permanent=true").status_code == 404
    assert ids_in_trash(alice, resource) == [str(row.pk)]


def test_a_row_leaves_the_trash_after_its_days(
    alice: Client, resource: Resource, settings: Settings
) -> None:
    settings.TRASH_DAYS = 7
    in_time, over = in_trash(resource, days=7, minutes=-1), in_trash(resource, days=7)
    assert ids_in_trash(alice, resource) == [str(in_time.pk)]
    assert restore(alice, resource, over).status_code == 404
    assert alice.delete(f"{path_to(resource, over)}?permanent=true").status_code == 404
    assert restore(alice, resource, in_time).status_code == 200


@pytest.mark.parametrize("is_deleted", [False, True], ids=["live", "in the trash"])
def test_a_permanent_deletion_takes_the_content_away(
    alice: Client, resource: Resource, *, is_deleted: bool
) -> None:
    texts = [value for value in resource.view.serializer_class.example.values() if value]
    created = alice.post(resource.path, resource.view.serializer_class.example, content_type=JSON)
    row = resource.view.model.objects.get()
    if is_deleted:
        row.remove()
    path = f"{created['Location']}?permanent=true"
    assert alice.delete(path, headers={"if-match": created["ETag"]}).status_code == (
        412 if is_deleted else 204
    )
    if is_deleted:
        assert alice.delete(path, headers={"if-match": row.etag}).status_code == 204
    (stored,) = resource.view.model.objects.values()
    assert not any(text in stored.values() for text in texts)
    assert stored["erased_at"]
    assert ids_in_trash(alice, resource) == []
    assert alice.delete(path).status_code == restore(alice, resource, row).status_code == 404


def test_permanent_is_true_and_of_a_deletion_alone(alice: Client, resource: Resource) -> None:
    row = make_row(resource.view.model)
    path = path_to(resource, row)
    for value in ("false", "", "1", "TRUE"):
        answer = problem(alice.delete(f"{path}?permanent={value}"), 400, "invalid_parameter")
        assert answer["errors"][0]["parameter"] == "permanent"
    for url in (path, resource.path, f"{resource.path}trash/"):
        answer = problem(alice.get(f"{url}?permanent=true"), 400, "invalid_parameter")
        assert answer["errors"][0]["code"] == "unknown"
    assert alice.get(path)["ETag"] == row.etag


def test_a_key_of_a_deletion_is_not_for_a_permanent_one(alice: Client, resource: Resource) -> None:
    row, key = make_row(resource.view.model), {"idempotency-key": "k"}
    path = path_to(resource, row)
    assert alice.delete(path, headers=key).status_code == 204
    problem(alice.delete(f"{path}?permanent=true", headers=key), 422, "idempotency_key_reused")
    assert ids_in_trash(alice, resource) == [str(row.pk)]
    key = {"idempotency-key": "another"}
    answers = [alice.delete(f"{path}?permanent=true", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]


def test_restoring_compares_and_repeats(alice: Client, resource: Resource) -> None:
    row = in_trash(resource)
    problem(restore(alice, resource, row, **{"if-match": '"another"'}), 412, "precondition_failed")
    headers = {"if-match": row.etag, "idempotency-key": "k"}
    first, again = (restore(alice, resource, row, **headers) for _ in range(2))
    assert (first.status_code, first.content) == (200, again.content)
    assert again["Idempotency-Replayed"] == "true"


def test_the_trash_comes_in_pages(alice: Client, resource: Resource) -> None:
    rows = [in_trash(resource, hours=hours) for hours in (3, 1, 2, 2, 2)]
    at_once = [row.pk for row in rows[2:]]
    resource.view.model.objects.filter(pk__in=at_once).write(deleted_at=rows[2].deleted_at)
    newest_first = [rows[1].pk, *sorted(at_once, reverse=True), rows[0].pk]
    expected = [str(pk) for pk in newest_first]
    for query, ordered in (
        ("", expected),
        ("&ordering=-deleted_at", expected),
        ("&ordering=deleted_at", expected[::-1]),
    ):
        pages = walk(alice, f"{resource.path}trash/?limit=2{query}")
        assert [shown(page, "id") for page in pages] == [ordered[:2], ordered[2:4], ordered[4:]]
        back = walk(alice, pages[-1]["previous"], "previous")
        assert [shown(page, "id") for page in back] == [ordered[2:4], ordered[:2]]


def test_a_page_of_the_trash_costs_one_query(alice: Client, resource: Resource) -> None:
    in_trash(resource)
    with CaptureQueriesContext(connection) as queries:
        assert alice.get(f"{resource.path}trash/").status_code == 200
    assert len(queries) == 1


@pytest.mark.parametrize(
    "query",
    ["q=x", "updated_from=2026-01-01T00:00:00Z", "ordering=created_at", "limit=0"],
)
def test_the_trash_takes_the_parameters_of_pages_alone(
    alice: Client, resource: Resource, query: str
) -> None:
    problem(alice.get(f"{resource.path}trash/?{query}"), 400, "invalid_parameter")


def test_links_to_what_is_in_the_trash_are_gone(alice: Client, resource: Resource) -> None:
    """Also for a row that is in the trash before its target, and restored after it."""
    for link in links_to(resource.view.model):
        target = make_row(resource.view.model)
        live, deleted = (make_row(link.model, **{link.attname: target.pk}) for _ in range(2))
        deleted.remove()
        assert alice.delete(path_to(resource, target)).status_code == 204
        (other,) = [each for each in resources() if each.view.model is link.model]
        answers = [restore(alice, other, row).json() for row in (live, deleted)]
        assert [answer[link.attname] for answer in answers] == [None, None]
        assert restore(alice, resource, target).status_code == 200
        assert alice.get(path_to(other, live)).json()[link.attname] is None


def test_a_link_and_a_filter_refuse_what_is_in_the_trash_as_if_it_were_missing(
    alice: Client, resource: Resource
) -> None:
    for link in links_to(resource.view.model):
        (other,) = [each for each in resources() if each.view.model is link.model]
        targets = [in_trash(resource).pk, make_row(resource.view.model, owner_id="bob").pk, uuid4()]
        body = other.view.serializer_class.example
        refused = [
            alice.post(other.path, {**body, link.attname: str(pk)}, content_type=JSON)
            for pk in targets
        ]
        filters = other.view.filterset_class().fields.items()
        refused += [
            alice.get(other.path, {name: str(pk)})
            for name, field in filters
            if isinstance(field, LinkParameter) and field.target is resource.view.model
            for pk in targets
        ]
        assert len(refused) == 6
        assert {answer.status_code for answer in refused} == {400}
        for three in (refused[:3], refused[3:]):
            assert len({str(without_instance(answer.json())) for answer in three}) == 1


def test_a_permanent_deletion_keeps_the_moment_of_the_first(
    alice: Client, resource: Resource
) -> None:
    row = in_trash(resource, days=3)
    assert alice.delete(f"{path_to(resource, row)}?permanent=true").status_code == 204
    stored = resource.view.model.objects.get()
    assert stored.deleted_at == row.deleted_at < now() - timedelta(days=2)
