"""Pages of lists, and of todos in them."""

from __future__ import annotations

import uuid
from http import HTTPStatus

import pytest

from browsable.tests.browser import Browser
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

LISTS, TODOS = "/api/lists/", "/api/todos/"


@pytest.fixture
def home() -> TodoList:
    made: TodoList = TodoList.objects.create(owner_id="alice", name="Home")
    return made


def address(row: TodoList | Todo) -> str:
    return f"{LISTS if isinstance(row, TodoList) else TODOS}{row.pk}/"


def test_a_list_is_created_renamed_and_deleted(alices: Browser) -> None:
    page = alices.get(LISTS).form("name").submit(name="Home", color="#ff8800")
    assert page.status == HTTPStatus.CREATED
    page = page.form("name", button="PATCH").submit("PATCH", name="At home")
    assert page.status == HTTPStatus.OK
    assert [*TodoList.objects.values_list("name", "color")] == [("At home", "#ff8800")]
    page = page.form("name", button="PUT").submit("PUT", color="")
    assert [*TodoList.objects.values_list("name", "color")] == [("At home", None)]
    page = page.form("_if_match", button="DELETE").submit("DELETE")
    assert page.links["Back to the list"] == LISTS
    assert not TodoList.objects.filter(deleted_at=None).exists()


def test_a_wrong_color_has_its_error_beside_it(alices: Browser) -> None:
    page = alices.get(LISTS).form("name").submit(name="Home", color="orange")
    assert page.status == HTTPStatus.BAD_REQUEST
    assert "#rrggbb" in page.text_of("new-color_error")
    assert page.form("name").value("name") == "Home"


def test_lists_are_filtered_and_ordered(alices: Browser) -> None:
    for name in ("Work", "Garden work", "Home"):
        TodoList.objects.create(owner_id="alice", name=name)
    form = alices.get(LISTS).form("_filters")
    assert form.options["ordering"] == [
        *("", "created_at", "-created_at", "updated_at", "-updated_at", "name", "-name")
    ]
    page = form.submit(q="work", ordering="name")
    assert page.url == f"{LISTS}?q=work&ordering=name"
    assert "Home" not in page.text
    assert page.text.index("Garden work") < page.text.index('"Work"')


def test_a_strangers_list_is_forbidden_on_pages(alices: Browser, home: TodoList) -> None:
    strangers: TodoList = TodoList.objects.create(owner_id="bob", name="Private")
    page = alices.get(address(strangers))
    assert (page.status, "Private" in page.text) == (HTTPStatus.FORBIDDEN, False)
    form = alices.get(address(home)).form("name", button="PATCH")
    form.action = address(strangers)
    assert form.submit("PATCH", name="Taken").status == HTTPStatus.FORBIDDEN


def test_a_todo_is_put_into_a_list_and_taken_out(alices: Browser, home: TodoList) -> None:
    page = alices.get(TODOS).form("title").submit(title="Sweep", list_id=str(home.pk))
    assert page.status == HTTPStatus.CREATED
    todo = Todo.objects.get()
    assert todo.list_id == home.pk
    form = alices.get(address(todo)).form("title", button="PATCH")
    assert form.value("list_id") == str(home.pk)
    page = form.submit("PATCH", list_id="")
    assert """--data-raw '{"list_id": null}'""" in page.text
    todo.refresh_from_db()
    assert todo.list_id is None


def test_an_empty_list_id_creates_a_todo_in_no_list(alices: Browser) -> None:
    assert alices.get(TODOS).form("title").submit(title="Sweep").status == HTTPStatus.CREATED
    assert Todo.objects.get().list_id is None


@pytest.mark.parametrize("list_id", [str(uuid.uuid4()), "home"], ids=["missing", "no UUID"])
def test_a_wrong_list_id_has_its_error_beside_it(
    alices: Browser, home: TodoList, list_id: str
) -> None:
    todo = make_todo(owner_id="alice", list_id=home.pk)
    form = alices.get(address(todo)).form("title", button="PATCH")
    page = form.submit("PATCH", list_id=list_id)
    assert page.status == HTTPStatus.BAD_REQUEST
    assert page.text_of("list_id_error")
    assert page.form("title", button="PATCH").value("list_id") == list_id
    todo.refresh_from_db()
    assert todo.list_id == home.pk


def test_todos_are_filtered_by_their_list(alices: Browser, home: TodoList) -> None:
    make_todo(owner_id="alice", title="Sweep", list_id=home.pk)
    make_todo(owner_id="alice", title="Read")
    form = alices.get(TODOS).form("_filters")
    for list_id, shown in ((str(home.pk), "Sweep"), ("none", "Read")):
        page = form.submit(list=list_id)
        assert [each for each in ("Sweep", "Read") if each in page.text] == [shown]
        assert page.form("_filters").value("list") == list_id


def test_deleting_a_list_takes_its_todos_out(alices: Browser, home: TodoList) -> None:
    todo = make_todo(owner_id="alice", list_id=home.pk)
    stale = alices.get(address(todo)).form("title", button="PATCH")
    alices.get(address(home)).form("_if_match", button="DELETE").submit("DELETE")
    todo.refresh_from_db()
    assert todo.list_id is None
    assert stale.submit("PATCH", title="x").status == HTTPStatus.PRECONDITION_FAILED
