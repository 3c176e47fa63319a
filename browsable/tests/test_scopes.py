"""An OAuth access token in the cookie is limited to its scopes."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from api.throttling import throttles
from authn.testing import Clock, Issuer
from browsable import cookies
from browsable.tests.browser import Browser
from tests.support.oauth import READ, WRITE, access_token
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("oauth")]

TODOS = "/api/todos/"


def log_in(browser: Browser, issuer: Issuer, *scopes: str) -> None:
    browser.client.cookies[cookies.NAME] = access_token(issuer, *scopes)


def test_a_page_shows_the_scopes_of_its_token(browser: Browser, issuer: Issuer) -> None:
    make_todo(title="Buy milk")
    log_in(browser, issuer, READ)
    page = browser.get(TODOS)
    assert page.status == 200
    assert "Buy milk" in page.text
    assert "within todos:read" in page.text


def test_a_page_of_a_session_shows_no_scopes(alices: Browser) -> None:
    assert "within" not in alices.get("/api/me/").text


def test_a_form_without_the_scope_of_its_method_changes_nothing(
    browser: Browser, issuer: Issuer
) -> None:
    log_in(browser, issuer, READ)
    page = browser.get(TODOS).form("title").submit("POST", title="Buy milk")
    assert page.status == 403
    assert "todos:write" in page.text
    assert "these scopes only: todos:read" in page.text
    assert page.links["Log in"]
    assert not Todo.objects.exists()


def test_a_page_without_the_scope_shows_nothing_of_a_todo(browser: Browser, issuer: Issuer) -> None:
    todo = make_todo(title="Buy milk")
    log_in(browser, issuer, WRITE)
    page = browser.get(f"{TODOS}{todo.pk}/")
    assert page.status == 403
    assert "todos:read" in page.text
    assert "Buy milk" not in page.html


def test_a_form_within_the_scopes_is_carried_out(browser: Browser, issuer: Issuer) -> None:
    log_in(browser, issuer, READ, WRITE)
    assert browser.get(TODOS).form("title").submit("POST", title="Buy milk").status == 201
    assert Todo.objects.get().owner_id == "alice"


def test_a_refused_page_spends_the_allowance_of_the_user(
    browser: Browser, issuer: Issuer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttles, "now", Clock())
    settings.THROTTLE_USER = (2, 60)
    log_in(browser, issuer, WRITE)
    assert [browser.get(TODOS).status for _ in range(3)] == [403, 403, 429]


def test_an_access_token_can_be_pasted(browser: Browser, issuer: Issuer) -> None:
    page = browser.get("/api/login/")
    page = page.form("token").submit(token=access_token(issuer, READ))
    assert page.status == 200
    assert page.url == "/api/"
