"""Pages of Django's admin, which ``test_admin.py`` runs with their own settings."""

from __future__ import annotations

from contextlib import closing

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from lists.models import TodoList
from tests.settings import MIDDLEWARE
from tests.support import documented
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db


@pytest.fixture
def _undocumented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documented, "check", lambda *_: None)


@pytest.fixture
def admin(client: Client, _undocumented: None) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def todo() -> Todo:
    home = TodoList.objects.create(owner_id="alice", name="Home")
    return make_todo(title="Buy <milk>", tags=["é"], completed=True, list=home)


@pytest.mark.parametrize("query", ["", "?q=milk", "?completed__exact=1&o=-1"])
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


@pytest.mark.usefixtures("_undocumented")
def test_login_by_a_form_with_its_csrf_token() -> None:
    User.objects.create_superuser("root", password="a long secret")
    browser = Client(enforce_csrf_checks=True)
    form = browser.get("/admin/login/")
    assert form.cookies["todos_csrftoken"]["path"] == "/"
    fields = {"username": "root", "password": "a long secret"}
    assert browser.post("/admin/login/", fields).status_code == 403
    fields["csrfmiddlewaretoken"] = form.context["csrf_token"]
    assert browser.post("/admin/login/?next=/admin/", fields)["Location"] == "/admin/"


def test_styles_are_served(client: Client) -> None:
    page = client.get("/admin/login/")
    assert "Content-Security-Policy" not in page
    with closing(client.get("/static/admin/css/base.css")) as styles:
        assert styles.status_code == 200


def test_strangers_see_nothing(client: Client, todo: Todo) -> None:
    assert client.get("/admin/todos/todo/").status_code == 302


def test_the_api_is_as_it_was_with_the_middleware_of_the_admin(
    alice: Client, todo: Todo, settings: Settings
) -> None:
    added = [each for each in settings.MIDDLEWARE if each.startswith("django.contrib.")]
    settings.MIDDLEWARE = [*MIDDLEWARE, *added]
    assert alice.get(f"/api/todos/{todo.pk}/").json()["title"] == "Buy <milk>"


def test_the_system_checks_complain_of_open_views_alone() -> None:
    messages = [message.msg for message in run_checks()]
    assert messages == [
        "/without-admin-view/ requires no token.",
        "/named-like-the-admin/ requires no token.",
    ]
