from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.urls import clear_url_caches, include, path
from pytest_django import Settings
from rest_framework.settings import api_settings
from rest_framework.views import APIView

import config.urls
from authn.testing import Mint
from browsable.tests.browser import Browser
from tests.support.settings import settings_of


@pytest.fixture
def _browsable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The project as ``BROWSABLE_API=true`` configures it."""
    settings.BROWSABLE_API = True
    settings.ALLOWED_HOSTS = ["testserver"]
    with_pages = settings_of(BROWSABLE_API="true")
    settings.MIDDLEWARE = with_pages["MIDDLEWARE"]
    settings.REST_FRAMEWORK = with_pages["REST_FRAMEWORK"]
    # What the views read when they were made.
    for name in ("authentication_classes", "renderer_classes"):
        monkeypatch.setattr(APIView, name, getattr(api_settings, f"DEFAULT_{name.upper()}"))
    pages = path("api/", include("browsable.urls"))
    monkeypatch.setattr(config.urls, "urlpatterns", [*config.urls.urlpatterns, pages])
    clear_url_caches()
    yield
    monkeypatch.undo()
    clear_url_caches()


@pytest.fixture
def browser(_browsable: None) -> Browser:
    """Of somebody who has not signed in."""
    return Browser()


@pytest.fixture
def alices(browser: Browser, mint: Mint) -> Browser:
    """Of Alice, who has pasted her token."""
    token = mint(sub="alice", name="Alice", exp=int(time.time()) + 900)
    browser.get("/api/login/?next=/api/todos/").form("token").submit(token=token)
    return browser
