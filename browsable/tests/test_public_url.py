"""Pages behind a proxy that removes the path of ``PUBLIC_URL``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import set_script_prefix
from pytest_django import Settings

from authn.testing import Mint
from browsable.tests.browser import ACCEPT, Browser

pytestmark = pytest.mark.django_db

ORIGIN, PREFIX = "https://app.example.com", "/backend"


class Proxy(Client):
    """A proxy that removes the prefix, and sends no header about https."""

    def generic(self, method: str, path: Any, *args: Any, **options: Any) -> Any:
        return super().generic(method, path.removeprefix(PREFIX), *args, **options)


@pytest.fixture
def browser(browser: Browser, settings: Settings) -> Iterator[Browser]:
    settings.PUBLIC_ORIGIN, settings.FORCE_SCRIPT_NAME = ORIGIN, PREFIX
    settings.CSRF_TRUSTED_ORIGINS, settings.CSRF_COOKIE_PATH = [ORIGIN], f"{PREFIX}/api"
    settings.STATIC_URL = f"{PREFIX}/static/"
    set_script_prefix(PREFIX)  # WSGIHandler does this; the test client does not
    browser.client = Proxy(enforce_csrf_checks=True, headers={"accept": ACCEPT, "origin": ORIGIN})
    yield browser
    set_script_prefix("/")


def test_login_create_and_change_work_under_a_path_prefix(browser: Browser, mint: Mint) -> None:
    login = browser.get(f"{PREFIX}/api/login/?next={PREFIX}/api/todos/")
    assert "plain http" not in login.text
    page = login.form("token").submit(token=mint())
    assert (page.url, page.status) == (f"{PREFIX}/api/todos/", 200)
    assert browser.client.cookies["todos_token"]["path"] == f"{PREFIX}/api"
    page = page.form("title").submit(title="One")
    assert "201 Created" in page.text
    [link] = {each for each in page.links.values() if re.search("/todos/.{36}/$", each)}
    page = browser.get(link)
    assert page.status == HTTPStatus.OK
    page = page.form("title").submit(title="Two")
    assert "200 OK" in page.text


def test_every_link_has_the_path_prefix(browser: Browser, mint: Mint) -> None:
    page = browser.get(f"{PREFIX}/api/login/").form("token").submit(token=mint())
    page = browser.get(f"{PREFIX}/api/todos/?limit=1")
    targets = re.findall(r'(?:href|src|action)="(/[^"]*|http[^"]*)"', page.html)
    assert len(targets) > 5
    assert all(each.startswith((f"{PREFIX}/", f"{ORIGIN}{PREFIX}/")) for each in targets)
    assert f"curl -i '{ORIGIN}{PREFIX}/api/todos/?limit=1'" in page.text
