"""Lists keep the rules of every resource, and their own two fields."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lists.models import TodoList
from lists.tests.factories import TodoListFactory
from tests.support.problems import problem

pytestmark = pytest.mark.django_db

LISTS = "/api/lists/"


def make_list(**fields: Any) -> TodoList:
    made: TodoList = TodoListFactory(**fields)  # type: ignore[assignment,no-untyped-call]
    return made


def create(client: Client, **body: Any) -> Any:
    return client.post(LISTS, body, content_type="application/json")


def mistakes(response: Any) -> list[tuple[str, str]]:
    body = problem(response, 400, "validation_failed")
    return [(error["pointer"], error["code"]) for error in body["errors"]]


def test_a_name_is_enough(alice: Client) -> None:
    response = create(alice, name="  Home  ")
    assert response.status_code == 201
    body = response.json()
    assert list(body) == ["id", "name", "color", "created_at", "updated_at", "etag"]
    assert (body["name"], body["color"]) == ("Home", None)
    assert response["ETag"] == body["etag"]
    assert response["Location"] == f"http://testserver{LISTS}{body['id']}/"
    assert alice.get(response["Location"]).json() == body


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ({}, ("/name", "required")),
        ({"name": " "}, ("/name", "blank")),
        ({"name": None}, ("/name", "null")),
        ({"name": 7}, ("/name", "invalid")),
        ({"name": "a\nb"}, ("/name", "control_character")),
        ({"name": "é" * 101}, ("/name", "max_length")),
        ({"name": "x", "color": "#FF8800"}, ("/color", "invalid")),
        ({"name": "x", "color": "#ff8800 "}, ("/color", "invalid")),
        ({"name": "x", "color": "#ff8800\n"}, ("/color", "invalid")),
        ({"name": "x", "color": "red"}, ("/color", "invalid")),
        ({"name": "x", "color": ""}, ("/color", "blank")),
        ({"name": "x", "color": 7}, ("/color", "invalid")),
        ({"name": "x", "owner_id": "bob"}, ("/owner_id", "unknown_field")),
        ({"name": "x", "title": "x"}, ("/title", "unknown_field")),
    ],
    ids=str,
)
def test_an_invalid_field_is_refused(
    alice: Client, body: dict[str, Any], mistake: tuple[str, str]
) -> None:
    assert mistakes(create(alice, **body)) == [mistake]
    assert not TodoList.objects.exists()


def test_a_name_of_100_composed_characters_is_kept(alice: Client) -> None:
    assert create(alice, name="e\u0301" * 100, color="#0a0b0c").json()["name"] == "é" * 100


def test_a_change_is_conditional_and_renews_the_etag(alice: Client) -> None:
    todo_list = make_list(color="#ff8800")
    path, seen = f"{LISTS}{todo_list.pk}/", {"If-Match": todo_list.etag}
    changed = alice.patch(
        path, {"name": "Work"}, content_type="application/json", headers=seen
    ).json()
    assert (changed["name"], changed["color"]) == ("Work", "#ff8800")
    assert changed["etag"] != todo_list.etag
    stale = alice.patch(path, {"name": "x"}, content_type="application/json", headers=seen)
    problem(stale, 412, "precondition_failed")
    current = alice.get(path, headers={"If-None-Match": changed["etag"]})
    assert current.status_code == 304
    replaced = alice.put(path, {"name": "Work"}, content_type="application/json").json()
    assert replaced["color"] is None
    problem(alice.delete(path, headers=seen), 412, "precondition_failed")
    assert alice.delete(path).status_code == 204
    problem(alice.get(path), 404, "not_found")


def test_a_repeated_request_gets_the_first_answer(alice: Client) -> None:
    key = {"Idempotency-Key": "k"}
    first, second = (
        alice.post(LISTS, {"name": "Home"}, content_type="application/json", headers=key)
        for _ in range(2)
    )
    assert (second.json(), second["Idempotency-Replayed"]) == (first.json(), "true")
    assert TodoList.objects.count() == 1


def test_pages_are_in_order_and_of_their_user(alice: Client) -> None:
    make_list(owner_id="bob", name="Bob's")
    for name in ("b", "Á", "a", "C"):
        make_list(name=name)
    orders = {"name": ["a", "b", "C", "Á"], "-created_at": ["C", "a", "Á", "b"]}
    for ordering, names in orders.items():
        url, seen = f"{LISTS}?limit=3&ordering={ordering}", []
        while url:
            page = alice.get(url).json()
            seen += [each["name"] for each in page["results"]]
            url = page["next"]
        assert seen == names


def test_q_finds_a_part_of_a_name_without_regard_to_case(alice: Client) -> None:
    for name in ("100% HOME", "Home", "1000 homes"):
        make_list(name=name)
    found = alice.get(LISTS, {"q": "0% hom"}).json()["results"]
    assert [each["name"] for each in found] == ["100% HOME"]
    assert len(alice.get(LISTS, {"q": " "}).json()["results"]) == 3
    problem(alice.get(LISTS, {"q": "x" * 101}), 400, "invalid_parameter")
    problem(alice.get(LISTS, {"completed": "true"}), 400, "invalid_parameter")
    assert alice.get(LISTS, {"created_from": "2999-01-01T00:00:00Z"}).json()["results"] == []


def test_a_list_has_no_actions_and_no_batch(alice: Client) -> None:
    todo_list = make_list()
    assert alice.post(f"{LISTS}{todo_list.pk}/complete/").status_code == 404
    # "batch" is no id.
    assert alice.post(f"{LISTS}batch/").status_code == 404


def test_a_list_prints_its_name() -> None:
    assert str(make_list(name="Home")) == "Home"


def test_only_the_owner_reaches_a_list(alice: Client, bob: Client, anonymous: Client) -> None:
    path = f"{LISTS}{make_list(name='Private').pk}/"
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = anonymous.generic(method, path, '{"name": "x"}', "application/json")
        assert answer.status_code == 401
        answer = bob.generic(method, path, '{"name": "x"}', "application/json")
        problem(answer, 403, "permission_denied")
        assert b"Private" not in answer.content
    assert alice.get(path).json()["name"] == "Private"
