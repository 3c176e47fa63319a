"""No header field crashes a request, also before Django has built it, or chooses a user."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.core.signals import request_started
from django.db import close_old_connections
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from api.owned.registry import Resource
from authn.testing import SECRET, SecretIssuer
from tests.support.routes import every_resource
from tests.support.rows import make_row
from todos.models import Todo

UNREADABLE = [
    "application/json; x*=nonsense''y",
    "application/json; x*=idna''%ff",
    "application/json; x*=a; x*0=b",
    f"application/json; x*{'9' * 5000}=a",
    "application/json; charset=\x00",
    "application/json; x*=a,b''%41",
    "application/json; x*=utf-8,''y; x*0=b",
]


def serve(path: str = "/api/me/", *, body: bytes = b"", **headers: Any) -> str:
    """Return the status that the WSGI application answers to a request with these headers."""
    application = importlib.import_module("config.wsgi").application
    factory = RequestFactory()
    environ: Any = (factory.post(path, body, "any/thing") if body else factory.get(path)).environ
    statuses: list[str] = []
    # Like Django's test client, because the connection of the test must outlive the request.
    request_started.disconnect(close_old_connections)
    try:
        application({**environ, **headers}, lambda status, headers: statuses.append(status))
    finally:
        request_started.connect(close_old_connections)
    return statuses[0].partition(" ")[0]


@pytest.mark.parametrize("value", UNREADABLE, ids=lambda value: value[:32])
@pytest.mark.parametrize("name", ["CONTENT_TYPE", "HTTP_ACCEPT"])
def test_an_unreadable_header_counts_as_absent(mint: Any, name: str, value: str) -> None:
    headers: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {mint()}", name: value}
    assert serve(**headers) == "200"


def test_an_unreadable_media_type_among_others_is_found(mint: Any) -> None:
    value = "text/html, application/json; x*=nonsense''y"
    assert serve(HTTP_AUTHORIZATION=f"Bearer {mint()}", HTTP_ACCEPT=value) == "200"


@pytest.mark.parametrize("accept", ["", "  "])
def test_an_empty_accept_counts_as_absent(mint: Any, accept: str) -> None:
    assert serve(HTTP_AUTHORIZATION=f"Bearer {mint()}", HTTP_ACCEPT=accept) == "200"


def test_an_accept_of_over_1000_characters_counts_as_absent(mint: Any) -> None:
    """The time to parse it grows with the square of its length, and needs no token."""
    accept = 'text/html;x="' + ";" * 1000
    assert serve(HTTP_AUTHORIZATION=f"Bearer {mint()}", HTTP_ACCEPT=accept) == "200"
    assert serve(HTTP_AUTHORIZATION=f"Bearer {mint()}", HTTP_ACCEPT=accept[:900]) == "406"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "charset", ["hex", "zlib", "utf-16", "utf-7", "rot13", "idna", "undefined", "nope"]
)
def test_a_charset_changes_nothing(mint: Any, charset: str) -> None:
    headers: dict[str, Any] = {
        "HTTP_AUTHORIZATION": f"Bearer {mint()}",
        "CONTENT_TYPE": f"application/json; charset={charset}",
    }
    assert serve("/api/todos/", body='{"title": "Käse"}'.encode(), **headers) == "201"
    assert Todo.objects.get().title == "Käse"
    assert serve("/api/todos/?limit=1", **headers) == "200"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["user-id", "owner", "owner-id"])
@every_resource
def test_a_header_opens_no_row_of_another_user(bob: Client, resource: Resource, name: str) -> None:
    row = make_row(resource.view.model, owner_id="alice")
    headers = {name: "alice"}
    assert bob.get(resource.path, headers=headers).json()["results"] == []
    assert bob.get(f"{resource.path}{row.pk}/", headers=headers).status_code == 403


words = st.sampled_from(
    [
        *"=;,*'\"%/\\ \x00é",
        "*/*",
        "x",
        "*0",
        "charset",
        "q",
        "''",
        "hex",
        "idna",
        "application/json",
    ]
)


@given(
    accept=st.lists(words).map("".join),
    content_type=st.lists(words).map("".join),
    other=st.text(st.characters(max_codepoint=255)),
)
def test_no_header_gives_a_5xx(accept: str, content_type: str, other: str) -> None:
    token = SecretIssuer(SECRET).mint(exp=4_000_000_000, iat=None)
    status = serve(
        HTTP_AUTHORIZATION=f"Bearer {token}",
        HTTP_ACCEPT=accept,
        CONTENT_TYPE=f"application/json;{content_type}",
        HTTP_COOKIE=other,
        HTTP_HOST="testserver",
        HTTP_REFERER=other,
        HTTP_ORIGIN=other,
    )
    assert status in ("200", "406")
