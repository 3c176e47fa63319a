"""Every resource keeps the rules of ``api/owned``. ``todos/tests`` has their details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from api.owned.registry import Resource
from tests.support.problems import problem, without_instance
from tests.support.routes import every_resource, paths_of
from tests.support.rows import make_row
from todos.tests.walking import shown, walk

pytestmark = [pytest.mark.django_db, every_resource]

JSON = "application/json"


def create(client: Client, resource: Resource, key: str = "", **fields: Any) -> Any:
    """Create the example with other ``fields``, and with a ``key`` for repeats."""
    body = {**resource.view.serializer_class.example, **fields}
    headers = {"idempotency-key": key} if key else {}
    return client.post(resource.path, body, content_type=JSON, headers=headers)


def required(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the values that a new row must have."""
    fields = resource.view.serializer_class().fields
    return {name: value for name, value in values.items() if fields[name].required}


def mistakes(response: Any) -> list[tuple[str, str]]:
    """Return pointer and code of each error of a 400."""
    errors = problem(response, 400, "validation_failed")["errors"]
    return [(error["pointer"], error["code"]) for error in errors]


def test_a_created_row_has_an_id_of_the_server_and_belongs_to_the_token(
    bob: Client, resource: Resource
) -> None:
    response = create(bob, resource)
    assert response.status_code == 201
    body = response.json()
    assert UUID(body["id"]).version == 4
    assert response["ETag"] == body["etag"]
    assert body["created_at"] == body["updated_at"]
    assert response["Location"] == f"http://testserver{resource.path}{body['id']}/"
    assert bob.get(response["Location"]).json() == body
    assert resource.view.model.objects.get().owner_id == "bob"
    assert "bob" not in response.content.decode()


def test_the_example_is_stored_as_it_was_sent(alice: Client, resource: Resource) -> None:
    example = resource.view.serializer_class.example
    body = create(alice, resource).json()
    assert {name: body[name] for name in example} == example


def test_the_required_fields_are_enough(alice: Client, resource: Resource) -> None:
    body = required(resource, resource.view.serializer_class.example)
    assert alice.post(resource.path, body, content_type=JSON).status_code == 201


def test_a_repeated_action_changes_nothing(alice: Client, resource: Resource) -> None:
    path = f"{resource.path}{make_row(resource.view.model).pk}/"
    for action in resource.actions:
        first, again = (
            alice.post(f"{path}{action.url_path}/", content_type=JSON) for _ in range(2)
        )
        assert (first.status_code, again.json()) == (200, first.json())


def test_options_have_one_name_for_a_resource(alice: Client, resource: Resource) -> None:
    paths = (resource.path, f"{resource.path}{make_row(resource.view.model).pk}/")
    listed, single = (alice.options(path).json()["name"] for path in paths)
    assert listed == single
    assert single.replace(" ", "") == resource.view.__name__.removesuffix("ViewSet")


def test_no_body_chooses_an_owner_or_another_id(alice: Client, resource: Resource) -> None:
    body = {**resource.view.serializer_class.example, "owner_id": "bob", "id": str(uuid4())}
    response = alice.post(resource.path, body, content_type=JSON)
    assert {*mistakes(response)} == {("/owner_id", "unknown_field")}
    path = f"{resource.path}{make_row(resource.view.model).pk}/"
    for method in (alice.put, alice.patch):
        response = method(path, body, content_type=JSON)
        assert {*mistakes(response)} == {("/owner_id", "unknown_field"), ("/id", "id_mismatch")}


def test_a_client_makes_the_id_of_a_new_row(alice: Client, resource: Resource) -> None:
    new_id = uuid4()
    response = create(alice, resource, id=str(new_id).upper())
    assert (response.status_code, response.json()["id"]) == (201, str(new_id))
    assert response["Location"] == f"http://testserver{resource.path}{new_id}/"
    assert alice.get(response["Location"]).json() == response.json()


def test_a_create_with_an_id_is_safe_to_repeat(alice: Client, resource: Resource) -> None:
    new_id = str(uuid4())
    first, again = (create(alice, resource, id=new_id) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again["ETag"] == first["ETag"]
    assert resource.view.model.objects.count() == 1


def test_a_create_finds_a_row_by_what_was_sent(alice: Client, resource: Resource) -> None:
    row = make_row(resource.view.model)
    shown = alice.get(f"{resource.path}{row.pk}/").json()
    for sent in (shown, {"id": shown["id"], **required(resource, shown)}):
        response = alice.post(resource.path, sent, content_type=JSON)
        assert (response.status_code, response.json()) == (200, shown)


def test_a_taken_id_is_the_same_conflict_whoever_has_it(alice: Client, resource: Resource) -> None:
    answers = []
    for owner_id, is_in_trash in (("alice", False), ("bob", False), ("alice", True)):
        row = make_row(resource.view.model, owner_id=owner_id)
        if is_in_trash:
            row.remove()
        response = create(alice, resource, id=str(row.pk))
        answers.append(without_instance(problem(response, 409, "id_taken")))
        assert "ETag" not in response
        assert resource.view.model.objects.get(pk=row.pk).version == row.version
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["errors"][0]["pointer"] == "/id"
    assert resource.view.model.objects.count() == 3


def test_a_refused_id_leaves_the_idempotency_key_free(alice: Client, resource: Resource) -> None:
    taken = str(make_row(resource.view.model).pk)
    first, second = (create(alice, resource, key="k", id=each) for each in (taken, str(uuid4())))
    problem(first, 409, "id_taken")
    assert second.status_code == 201


def test_an_id_of_the_client_costs_one_statement(alice: Client, resource: Resource) -> None:
    costs = []
    for fields in ({}, {"id": str(uuid4())}):
        with CaptureQueriesContext(connection) as queries:
            assert create(alice, resource, **fields).status_code == 201
        costs.append(sum("SAVEPOINT" not in each["sql"] for each in queries))
    assert costs[1] == costs[0] + 1


def test_a_row_can_be_written_back_as_it_was_read(alice: Client, resource: Resource) -> None:
    path = create(alice, resource)["Location"]
    (item,) = alice.get(resource.path).json()["results"]
    headers = {"if-match": item["etag"]}
    for method in (alice.put, alice.patch):
        response = method(path, item, content_type=JSON, headers=headers)
        assert (response.status_code, response.json()) == (200, item)
    response = alice.patch(path, {}, content_type=JSON, headers=headers)
    assert (response.status_code, response.json()) == (200, item)


def test_a_change_gives_a_new_etag(alice: Client, resource: Resource) -> None:
    example = resource.view.serializer_class.example
    for method in (alice.put, alice.patch):
        row = make_row(resource.view.model)
        path = f"{resource.path}{row.pk}/"
        assert alice.get(path, headers={"if-none-match": row.etag}).status_code == 304
        response = method(path, example, content_type=JSON, headers={"if-match": row.etag})
        assert response.status_code == 200
        assert response["ETag"] == response.json()["etag"] != row.etag
        assert alice.get(path, headers={"if-none-match": row.etag}).json() == response.json()


def test_a_failed_precondition_brings_the_current_row(alice: Client, resource: Resource) -> None:
    row, stale = make_row(resource.view.model), {"if-match": '"stale"'}
    path, *actions = paths_of(resource, row.pk)
    example = resource.view.serializer_class.example
    requests = [
        *((method, path, example) for method in (alice.put, alice.patch, alice.delete)),
        *((alice.post, action, None) for action in actions),
    ]
    for method, url, body in requests:
        response = method(url, body, content_type=JSON, headers=stale)
        body = problem(response, 412, "precondition_failed")
        assert body["current"] == alice.get(path).json()


def test_a_deleted_row_is_missing(alice: Client, resource: Resource) -> None:
    path = create(alice, resource)["Location"]
    assert alice.delete(path).status_code == 204
    assert alice.get(path).status_code == alice.delete(path).status_code == 404
    assert alice.get(resource.path).json()["results"] == []


def test_a_repeated_create_makes_one_row(alice: Client, resource: Resource) -> None:
    first, again = (create(alice, resource, key="k") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert resource.view.model.objects.count() == 1


def test_every_order_shows_each_own_row_once(alice: Client, resource: Resource) -> None:
    make_row(resource.view.model, owner_id="bob")
    ids = {str(make_row(resource.view.model).pk) for _ in range(3)}
    ids |= {create(alice, resource).json()["id"] for _ in range(2)}
    for ordering in resource.view.orderings:
        for sign in ("", "-"):
            pages = walk(alice, f"{resource.path}?limit=2&ordering={sign}{ordering}")
            assert sorted(each for page in pages for each in shown(page, "id")) == sorted(ids)


def test_a_row_and_a_page_cost_one_query(alice: Client, resource: Resource) -> None:
    row = make_row(resource.view.model)
    alice.get(resource.path)  # compiles the statements
    for path in (f"{resource.path}{row.pk}/", resource.path):
        with CaptureQueriesContext(connection) as queries:
            assert alice.get(path).status_code == 200
        assert len(queries) == 1


def test_changes_show_what_has_happened_to_each_own_row(
    alice: Client, bob: Client, resource: Resource
) -> None:
    create(bob, resource)
    kept, gone = (create(alice, resource).json() for _ in range(2))
    changes = f"{resource.path}changes/"
    first = alice.get(changes)
    assert first.json()["documents"] == [{**each, "deleted": False} for each in (kept, gone)]
    assert alice.get(changes, headers={"if-none-match": first["ETag"]}).status_code == 304
    assert alice.delete(f"{resource.path}{gone['id']}/").status_code == 204
    since = first.json()["checkpoint"]["since"]
    [deleted] = alice.get(changes, {"since": since}).json()["documents"]
    assert (deleted["id"], deleted["deleted"]) == (gone["id"], True)
    assert alice.get(changes, {"since": since + 2}).status_code == 410


def test_changes_of_a_row_without_content_are_documented(alice: Client, resource: Resource) -> None:
    path = create(alice, resource)["Location"]
    since = alice.get(f"{resource.path}changes/").json()["checkpoint"]["since"]
    resource.view.model.objects.get().remove(erased=True)
    [erased] = alice.get(f"{resource.path}changes/", {"since": since}).json()["documents"]
    assert path.endswith(f"{erased['id']}/")
    assert erased["deleted"] is True


def test_a_push_creates_changes_deletes_and_restores(alice: Client, resource: Resource) -> None:
    model, example = resource.view.model, resource.view.serializer_class.example
    document: dict[str, Any] = {"id": str(uuid4()), **example}
    steps = [{}, {"deleted": True}, {"deleted": True}, {"deleted": False}]
    assumed = None
    for step in steps:
        row = {"newDocumentState": {**document, **step}, "assumedMasterState": assumed}
        assert push(alice, resource, row) == {"conflicts": [], "rejected": []}
        assert (model.objects.get().deleted_at is not None) == step.get("deleted", False)
        assumed = row["newDocumentState"]
    stored = alice.get(f"{resource.path}{document['id']}/").json()
    assert {name: stored[name] for name in example} == example
    assert push(alice, resource, {"newDocumentState": {"id": document["id"], "x": 1}})["rejected"]


def test_a_push_on_an_unknown_state_is_a_conflict(alice: Client, resource: Resource) -> None:
    row = make_row(resource.view.model)
    shown = alice.get(f"{resource.path}{row.pk}/").json()
    new = {"id": str(row.pk), **resource.view.serializer_class.example}
    answer = push(alice, resource, {"newDocumentState": new})
    assert answer == {"conflicts": [{**shown, "deleted": False}], "rejected": []}
    assert alice.get(f"{resource.path}{row.pk}/").json() == shown


def test_a_pushed_id_of_somebody_else_is_taken(bob: Client, resource: Resource) -> None:
    row = make_row(resource.view.model)
    new = {"id": str(row.pk), **resource.view.serializer_class.example}
    (rejected,) = push(bob, resource, {"newDocumentState": new})["rejected"]
    assert (rejected["id"], rejected["errors"][0]["code"]) == (str(row.pk), "id_taken")
    assert resource.view.model.objects.get().version == row.version


def test_a_deleted_row_without_content_is_a_documented_conflict(
    alice: Client, resource: Resource
) -> None:
    row = make_row(resource.view.model)
    row.remove(erased=True)
    new = {"id": str(row.pk), **resource.view.serializer_class.example}
    (conflict,) = push(alice, resource, {"newDocumentState": new})["conflicts"]
    assert conflict["deleted"] is True


def push(client: Client, resource: Resource, *rows: Any) -> Any:
    response = client.post(f"{resource.path}sync/", rows, content_type=JSON)
    assert response.status_code == 200
    return response.json()
