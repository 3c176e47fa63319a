"""Responses beside the pages have the security headers of every response."""

from __future__ import annotations

from typing import Any

import pytest

from browsable.tests.browser import Browser
from tests.support.security_headers import HSTS, assert_guarded

TODOS = "/api/todos/"
STYLE = "/static/browsable/style.css"

pytestmark = pytest.mark.django_db


def test_redirects_and_the_forget_style_sheet_have_the_security_headers(browser: Browser) -> None:
    assert_guarded(browser.client.get("/"), status=302)
    assert_guarded(browser.client.get("/api/login/forget.css"), status=200)


def test_json_has_the_security_headers_beside_pages(alices: Browser) -> None:
    for path, status in ((TODOS, 401), ("/nope", 404), ("/healthz", 200)):
        answer = alices.client.get(path, headers={"accept": "*/*"})
        assert_guarded(answer, status=status)


@pytest.mark.parametrize("path", [STYLE, "/static/browsable/icon.svg", "/static/browsable/docs.js"])
def test_static_files_have_the_security_headers(browser: Browser, path: str) -> None:
    response: Any = browser.client.get(path)
    assert_guarded(response, status=200)
    response.close()


def test_an_unchanged_static_file_has_the_security_headers(browser: Browser) -> None:
    first: Any = browser.client.get(STYLE)
    first.close()
    headers = {"if-modified-since": first["Last-Modified"]}
    response: Any = browser.client.get(STYLE, headers=headers)
    assert_guarded(response, status=304)
    response.close()


@pytest.mark.parametrize("path", ["/api/login/", STYLE])
def test_pages_and_static_files_have_hsts(browser: Browser, path: str) -> None:
    response: Any = browser.client.get(path, secure=True)
    assert response["Strict-Transport-Security"] == HSTS
    response.close()
