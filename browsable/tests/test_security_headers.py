"""What is said of a page and of its files is what is said of every answer, but for its policy."""

from __future__ import annotations

from typing import Any

import pytest

from api.tests.test_security_headers import HSTS, TODOS, assert_guarded
from browsable.pages import NO_SCRIPT, OWN_SCRIPT
from browsable.tests.browser import Browser

STYLE = "/static/browsable/style.css"

pytestmark = pytest.mark.django_db


def test_a_page(alices: Browser) -> None:
    for path, status in ((TODOS, 200), (f"{TODOS}?x=1", 400), ("/api/nope/", 404)):
        assert_guarded(alices.get(path).response, status=status, policy=NO_SCRIPT)
    refused = alices.get("/api/login/").form("token").submit(token="x")
    assert_guarded(refused.response, status=400, policy=NO_SCRIPT)


def test_the_reference(browser: Browser) -> None:
    assert_guarded(browser.get("/api/docs/").response, status=200, policy=OWN_SCRIPT)


def test_what_a_browser_is_sent_on_with(browser: Browser) -> None:
    assert_guarded(browser.client.get("/"), status=302)
    assert_guarded(browser.client.get("/api/login/forget.css"), status=200)


def test_what_any_client_gets_where_there_are_pages(alices: Browser) -> None:
    for path, status in ((TODOS, 401), ("/nope", 404), ("/healthz", 200)):
        answer = alices.client.get(path, headers={"accept": "*/*"})
        assert_guarded(answer, status=status)


@pytest.mark.parametrize("path", [STYLE, "/static/browsable/icon.svg", "/static/browsable/docs.js"])
def test_a_static_file(browser: Browser, path: str) -> None:
    response: Any = browser.client.get(path)
    assert_guarded(response, status=200)
    response.close()


def test_one_that_has_not_changed(browser: Browser) -> None:
    known: Any = browser.client.get(STYLE)
    known.close()
    headers = {"if-modified-since": known["Last-Modified"]}
    response: Any = browser.client.get(STYLE, headers=headers)
    assert_guarded(response, status=304)
    response.close()


@pytest.mark.parametrize("path", ["/api/login/", STYLE])
def test_https_is_to_be_kept(browser: Browser, path: str) -> None:
    response: Any = browser.client.get(path, secure=True)
    assert response["Strict-Transport-Security"] == HSTS
    response.close()
