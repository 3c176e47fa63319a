"""``PUBLIC_URL``: clients reach every address in an answer, whatever the proxy changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import set_script_prefix
from pytest_django import Settings

from api.views import openapi_document
from config import env as environment
from config.env import ENVIRONMENT
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

ORIGIN, PREFIX = "https://app.example.com", "/backend"
PUBLIC_URL = f"{ORIGIN}{PREFIX}"
INNER = "api.internal"


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> Iterator[None]:
    settings.PUBLIC_ORIGIN, settings.FORCE_SCRIPT_NAME = ORIGIN, PREFIX
    settings.ALLOWED_HOSTS = [INNER]
    set_script_prefix(PREFIX)  # WSGIHandler does so, which no test client calls
    yield
    set_script_prefix("/")


@pytest.fixture
def alice(alice: Client) -> Client:
    """Behind a proxy that names the inner host, speaks plain http and takes the prefix away."""
    alice.defaults["HTTP_HOST"] = INNER
    return alice


def get(client: Client, address: str) -> Any:
    """The answer at an address that was answered, as the proxy asks for it."""
    assert address.startswith(f"{PUBLIC_URL}/")
    response = client.get(address.removeprefix(PUBLIC_URL))
    assert response.status_code == 200
    return response.json()


def test_the_root_names_addresses_that_clients_reach(alice: Client) -> None:
    root = alice.get("/api/").json()
    assert root["todos"] == f"{PUBLIC_URL}/api/todos/"
    assert {each.rpartition("/api/")[0] for each in root.values()} == {PUBLIC_URL}
    assert alice.get("/").json()["api"] == f"{PUBLIC_URL}/api/"


def test_pages_of_a_list_can_be_followed_both_ways(alice: Client) -> None:
    for _ in range(3):
        make_todo()
    first = alice.get("/api/todos/?limit=2").json()
    second = get(alice, first["next"])
    assert len(second["results"]) == 1
    assert get(alice, second["previous"])["results"] == first["results"]


@pytest.mark.parametrize("path", ["/api/todos/", "/api/todos"])
def test_the_location_of_a_new_todo_leads_to_the_todo(alice: Client, path: str) -> None:
    response = alice.post(path, {"title": "One"}, "application/json")
    assert response["Location"] == f"{PUBLIC_URL}/api/todos/{response.json()['id']}/"
    assert get(alice, response["Location"]) == response.json()


def test_public_url_allows_no_other_host(alice: Client) -> None:
    assert alice.get("/api/", headers={"host": "app.example.com"}).status_code == 400


def test_without_public_url_addresses_are_those_of_the_request(
    alice: Client, settings: Settings
) -> None:
    settings.PUBLIC_ORIGIN, settings.FORCE_SCRIPT_NAME = "", None
    set_script_prefix("/")
    assert alice.get("/api/").json()["me"] == f"http://{INNER}/api/me/"


def test_a_server_with_a_prefix_of_its_own_needs_no_public_url(
    alice: Client, settings: Settings
) -> None:
    """Apache's ``WSGIScriptAlias /mounted`` does."""
    settings.PUBLIC_ORIGIN, settings.FORCE_SCRIPT_NAME = "", None
    set_script_prefix("/mounted")
    body = {"title": "One"}
    response = alice.post("/api/todos/", body, "application/json", SCRIPT_NAME="/mounted")
    assert response["Location"].startswith(f"http://{INNER}/mounted/api/todos/")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.example.com/backend", ("https://app.example.com", "/backend")),
        ("https://App.Example.com:443/backend/", ("https://app.example.com", "/backend")),
        ("http://127.0.0.1:3000", ("http://127.0.0.1:3000", "")),
        ("https://app.example.com/", ("https://app.example.com", "")),
        ("https://app.example.com/a/b-c/~d.e", ("https://app.example.com", "/a/b-c/~d.e")),
        (" https://[::1]:8443/x\n", ("https://[::1]:8443", "/x")),
        ("", ("", "")),
    ],
)
def test_an_address_has_an_origin_and_a_path(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: tuple[str, str]
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "X", url)
    assert environment.public_url("X") == expected


@pytest.mark.parametrize(
    "url",
    [
        "app.example.com/backend",
        "/backend",
        "//app.example.com/backend",
        "ftp://app.example.com",
        "https://",
        "https:///backend",
        "https://user:open-sesame@app.example.com",
        "https://app.example.com/backend?x=1",
        "https://app.example.com/backend#x",
        "https://app.example.com//backend",
        "https://app.example.com/backend//",
        "https://app.example.com/../backend",
        "https://app.example.com/./backend",
        "https://app.example.com/a b",
        "https://app.example.com/%2e%2e",
        "https://*.example.com",
        "https://bücher.example",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "https://app.example.com:port",
        "https://app.example.com\\backend",
        "https://a.example,https://b.example",
    ],
)
def test_an_address_that_no_client_reaches_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "X", url)
    with pytest.raises(ImproperlyConfigured, match=r"^X (must be http|has a port)") as caught:
        environment.public_url("X")
    assert "sesame" not in str(caught.value)


def test_the_openapi_document_names_public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = [{"url": PUBLIC_URL}]
    monkeypatch.setattr("drf_spectacular.settings.spectacular_settings.SERVERS", servers)
    document = openapi_document.__wrapped__()
    assert document["servers"] == servers
    assert "/api/todos/" in document["paths"]
