from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import clear_url_caches, include, path
from pytest_django import Settings
from rest_framework.settings import api_settings
from rest_framework.views import APIView

import config.urls
from authn.testing import Mint
from browsable import cookies
from browsable.tests.browser import Browser
from tests.support.settings import settings_of


@pytest.fixture(scope="session")
def with_pages() -> dict[str, Any]:
    return settings_of(BROWSABLE_API="true")


@pytest.fixture
def _browsable(
    with_pages: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The project as ``BROWSABLE_API=true`` configures it."""
    settings.BROWSABLE_API = True
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.MIDDLEWARE = with_pages["MIDDLEWARE"]
    settings.REST_FRAMEWORK = with_pages["REST_FRAMEWORK"]
    # DRF reads these settings when a view class is made.
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
    """The browser of a user who has not logged in."""
    return Browser()


@pytest.fixture
def alices(browser: Browser, mint: Mint) -> Browser:
    """Alice's browser, with the cookie that login sets."""
    browser.client.cookies[cookies.NAME] = mint(
        sub="alice", name="Alice", exp=int(time.time()) + 900
    )
    return browser
