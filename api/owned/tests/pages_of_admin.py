"""Pages of Django's admin over todos, which ``test_admin.py`` runs with their own settings."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import Client

from lists.models import TodoList
from tests.support import documented
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(documented, "check", lambda *_: None)
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def todo() -> Todo:
    home = TodoList.objects.create(owner_id="alice", name="Home")
    return make_todo(title="Buy <milk>", tags=["é"], completed=True, list=home)


@pytest.mark.parametrize("query", ["", "?q=milk", "?completed__exact=1&priority__exact=0&o=-1"])
def test_the_list(admin: Client, todo: Todo, query: str) -> None:
    page = admin.get(f"/admin/todos/todo/{query}")
    assert page.status_code == 200
    assert "Buy &lt;milk&gt;" in page.text
    assert "alice" in page.text


def test_a_todo(admin: Client, todo: Todo) -> None:
    page = admin.get(f"/admin/todos/todo/{todo.pk}/change/")
    assert page.status_code == 200
    assert "Buy &lt;milk&gt;" in page.text
    assert "Home" in page.text
    assert 'name="_save"' not in page.text
    assert admin.get(f"/admin/todos/todo/{todo.pk}/history/").status_code == 200


def test_nothing_is_written(admin: Client, todo: Todo) -> None:
    for path in ("add", f"{todo.pk}/change", f"{todo.pk}/delete"):
        assert admin.post(f"/admin/todos/todo/{path}/", {"title": "x"}).status_code == 403
    assert Todo.objects.get().version == todo.version


def test_strangers_see_nothing(client: Client, todo: Todo) -> None:
    assert client.get("/admin/todos/todo/").status_code == 302


def test_the_api_is_as_it_was(alice: Client, todo: Todo) -> None:
    assert alice.get(f"/api/todos/{todo.pk}/").json()["title"] == "Buy <milk>"


def test_the_system_checks_complain_of_open_views_alone() -> None:
    messages = [str(message) for message in run_checks()]
    assert len(messages) == 1
    assert "/admin/todos/todo/open/ requires no token" in messages[0]
