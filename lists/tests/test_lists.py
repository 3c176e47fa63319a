"""The fields, orders and filters of lists. ``tests/contract`` has the rules of every resource."""

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
    assert list(body) == ["id", "name", "color", "created_at", "updated_at", "deleted_at", "etag"]
    assert (body["name"], body["color"]) == ("Home", None)


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


def test_a_patch_keeps_the_color_and_a_replacement_does_not(alice: Client) -> None:
    path, body = f"{LISTS}{make_list(color='#ff8800').pk}/", {"name": "Work"}
    assert alice.patch(path, body, content_type="application/json").json()["color"] == "#ff8800"
    assert alice.put(path, body, content_type="application/json").json()["color"] is None


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
