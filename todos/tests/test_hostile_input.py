"""Whatever a client sends, it is answered, and never with a 5xx."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authn.testing import SecretIssuer
from conftest import SECRET
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

slowly = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
fields = st.sampled_from(
    ["title", "description", "completed", "completed_at", "id", "created_at", "owner_id", "", "/~"]
)
bodies = st.dictionaries(fields | st.text(), anything) | anything
methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
actions = st.sampled_from(["", "complete/", "reopen/", "complete"])


def client() -> Client:
    token = SecretIssuer(SECRET).mint(sub="alice", iat=None, exp=4_000_000_000)
    return Client(headers={"authorization": f"Bearer {token}"})


def assert_answered(response: Any) -> None:
    assert response.status_code < 500
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert response.request["REQUEST_METHOD"] == "HEAD" or response.json()["status"] >= 400


@slowly
@given(method=methods, body=bodies, action=actions)
def test_any_json(method: str, body: Any, action: str) -> None:
    todo = make_todo()
    text = json.dumps(body)
    for path in ("/api/todos/", f"/api/todos/{todo.pk}/{action}"):
        assert_answered(client().generic(method, path, text, "application/json"))
    assert not Todo.objects.exclude(owner_id="alice").exists()


@slowly
@given(body=st.binary(), media_type=st.sampled_from(["application/json", "", "text/html", ";"]))
def test_any_bytes(body: bytes, media_type: str) -> None:
    for method in ("POST", "PUT", "PATCH"):
        assert_answered(client().generic(method, f"/api/todos/{make_todo().pk}/", body, media_type))


@slowly
@given(path=st.text(), query=st.dictionaries(st.text() | st.just("limit"), st.text()))
def test_any_path_and_query(path: str, query: dict[str, str]) -> None:
    def encoded(text: str) -> str:
        return quote(text.encode(errors="surrogatepass"), safe="/")

    parameters = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in query.items())
    for start in ("/", "/api/", "/api/todos/"):
        assert_answered(client().get(f"{start}{encoded(path)}?{parameters}"))


@slowly
@given(cursor=st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_cursor(cursor: str) -> None:
    response = client().get("/api/todos/?cursor=" + quote(cursor.encode(errors="replace")))
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
