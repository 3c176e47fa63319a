from __future__ import annotations

from http import HTTPStatus

import pytest

from browsable.tests.browser import Browser
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

TRASH = "/api/todos/trash/"


def test_a_button_restores_a_todo_from_its_trash(alices: Browser) -> None:
    milk, bread = (make_todo(owner_id="alice", title=title) for title in ("Milk", "Bread"))
    for todo in (milk, bread):
        todo.remove()
    page = alices.get(alices.get("/api/todos/").links["Trash…"])
    assert "Restore Milk" in page.text
    assert f'"{milk.pk}"' not in page.links  # a todo in the trash has no page
    page = page.form_to(f"{milk.pk}/restore/").submit()
    assert page.status == HTTPStatus.OK
    assert page.form("title").value("title") == "Milk"
    assert [*Todo.objects.filter(deleted_at=None)] == [milk]


def test_a_restore_of_what_has_changed_since_is_412(alices: Browser) -> None:
    home = TodoList.objects.create(owner_id="alice", name="Home" * 25)
    home.remove()
    page = alices.get("/api/lists/trash/")
    form = page.form_to("/restore/")
    assert f"Restore {home.name[:30]}" in page.text
    assert home.name not in page.text.replace(f'"{home.name}"', "")
    home.restore()
    home.remove()
    assert form.submit().status == HTTPStatus.PRECONDITION_FAILED


def test_a_live_todo_has_no_button_to_restore_it(alices: Browser) -> None:
    todo = make_todo(owner_id="alice")
    actions = {form.action for form in alices.get(f"/api/todos/{todo.pk}/").forms}
    assert not any(action.endswith("/restore/") for action in actions)


def test_a_button_deletes_a_todo_for_good(alices: Browser) -> None:
    todo = make_todo(owner_id="alice", title="Secret")
    page = alices.get(f"/api/todos/{todo.pk}/").form_to("?permanent=true").submit()
    assert "HTTP 204 No Content" in page.text
    assert Todo.objects.get().title == ""


def test_the_trash_is_ordered_by_a_form_and_has_links_to_its_pages(alices: Browser) -> None:
    for title in ("First", "Second"):
        make_todo(owner_id="alice", title=title).remove()
    page = alices.get(TRASH).form("_filters").submit(ordering="deleted_at", limit="1")
    assert page.url == f"{TRASH}?ordering=deleted_at&limit=1"
    assert "Restore First" in page.text
    assert "Restore Second" in alices.get(page.links["Next page →"]).text


def test_the_trash_without_login_is_401(alices: Browser) -> None:
    page = Browser().get(TRASH)
    assert page.status == HTTPStatus.UNAUTHORIZED
    assert alices.get(TRASH).status == HTTPStatus.OK
