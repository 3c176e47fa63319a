"""Whatever a client sends, it is answered, and never with a 5xx."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import import_module
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import assume, given
from hypothesis import strategies as st

from authn.testing import SECRET, SecretIssuer
from tests.support.problems import problem
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.hostile import (
    BOBS,
    MINE,
    VERSION,
    anything,
    changes,
    fields,
    headers,
    operations,
    parameters,
    sound_queries,
    strings,
    targets,
)

pytestmark = pytest.mark.django_db

JSON = "application/json"


class ServedClient(Client):
    """Sends what a server lets through to Django."""

    def request(self, **environ: Any) -> Any:
        # Loading it builds a verifier, which needs the settings of a test.
        import_module("config.wsgi").drop_unreadable_headers(environ)
        return super().request(**environ)


def client() -> Client:
    token = SecretIssuer(SECRET).mint(sub="alice", iat=None, exp=4_000_000_000)
    return ServedClient(headers={"authorization": f"Bearer {token}"})


def assert_answered(response: Any) -> None:
    assert response.status_code < 500
    if response.status_code >= 400 and response.request["REQUEST_METHOD"] != "HEAD":
        problem(response, response.status_code, response.json()["code"])


def assert_only_alices_todos_changed(bobs: Todo) -> None:
    assert [todo.version for todo in Todo.objects.exclude(owner_id="alice")] == [bobs.version]


def push(text: str, **headers: str) -> Any:
    return client().generic("POST", "/api/todos/sync/", text, JSON, headers=headers)


def outcomes_of(response: Any) -> list[Any]:
    assert_answered(response)
    assert response.status_code == 200
    answer = response.json()
    return [*answer["conflicts"], *answer["rejected"]]


def contents() -> set[tuple[Any, ...]]:
    return {*Todo.objects.values_list("pk", "version", "deleted_at")}


def filled_in(text: str, mine: Todo, bobs: Todo) -> str:
    values = {MINE: str(mine.pk), VERSION: mine.version, BOBS: str(bobs.pk)}
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


@pytest.fixture
def bobs() -> Todo:
    return make_todo(owner_id="bob")


@given(target=targets, body=fields | anything)
def test_any_json_body_gets_a_documented_answer(
    bobs: Todo, target: tuple[str, str], body: Any
) -> None:
    method, path = target
    path = filled_in(f"/api/todos/{path}", make_todo(), bobs)
    assert_answered(client().generic(method, path, json.dumps(body), JSON))
    assert_only_alices_todos_changed(bobs)


@given(operations=st.lists(operations, min_size=1, max_size=4), with_key=st.booleans())
def test_any_batch_gets_a_documented_answer(
    bobs: Todo, operations: list[Any], with_key: bool
) -> None:
    mine = make_todo()
    text = filled_in(json.dumps({"operations": operations}), mine, bobs)
    headers = {"idempotency-key": str(mine.pk)} if with_key else {}
    for _ in range(2):
        path = "/api/todos/batch/"
        assert_answered(client().generic("POST", path, text, JSON, headers=headers))
    assert_only_alices_todos_changed(bobs)


@given(changes=st.lists(changes, min_size=1, max_size=4), with_key=st.booleans())
def test_any_change_of_a_push_is_made_a_conflict_or_rejected(
    bobs: Todo, changes: list[Any], with_key: bool
) -> None:
    mine = make_todo(title="Mine")
    assume("NaN" not in json.dumps(changes) and "Infinity" not in json.dumps(changes))
    for change in changes:
        before = contents()
        outcomes = outcomes_of(push(filled_in(json.dumps([change]), mine, bobs)))
        assert len(outcomes) <= 1
        assert not outcomes or contents() == before
    headers = {"idempotency-key": str(mine.pk)} if with_key else {}
    text = filled_in(json.dumps(changes), mine, bobs)
    first, again = (outcomes_of(push(text, **headers)) for _ in range(2))
    assert len(first) <= len(changes)
    assert len(again) <= len(changes)
    assert_only_alices_todos_changed(bobs)


@given(body=anything)
def test_any_push_gets_a_documented_answer(bobs: Todo, body: Any) -> None:
    assert_answered(push(json.dumps(body)))
    assert_only_alices_todos_changed(bobs)


@given(target=targets, headers=headers)
def test_any_header_gets_a_documented_answer(
    bobs: Todo, target: tuple[str, str], headers: dict[str, str]
) -> None:
    method, path = target
    mine = make_todo()
    path = filled_in(f"/api/todos/{path}", mine, bobs)
    sent = {name: filled_in(value, mine, bobs) for name, value in headers.items()}
    for _ in range(2):
        assert_answered(client().generic(method, path, '{"title": "x"}', JSON, headers=sent))
    assert_only_alices_todos_changed(bobs)


@given(body=st.binary(), media_type=st.sampled_from(["application/json", "", "text/html", ";"]))
def test_any_bytes_get_a_documented_answer(body: bytes, media_type: str) -> None:
    path = f"/api/todos/{make_todo().pk}/"
    for method, target in (("POST", "/api/todos/"), ("PUT", path), ("PATCH", path)):
        assert_answered(client().generic(method, target, body, media_type))


def encoded(text: str) -> str:
    return quote(text.encode(errors="surrogatepass"), safe="/")


def query_string(query: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in query)


@given(path=strings, query=st.lists(st.tuples(strings, strings)))
def test_any_path_and_query_get_a_documented_answer(
    path: str, query: list[tuple[str, str]]
) -> None:
    for start in ("/", "/api/", "/api/todos/"):
        assert_answered(client().get(f"{start}{encoded(path)}?{query_string(query)}"))


@given(query=sound_queries | st.lists(parameters))
def test_any_parameter_value_gets_a_documented_answer(query: Iterable[tuple[str, str]]) -> None:
    make_todo()
    assert_answered(client().get(f"/api/todos/?{query_string(query)}"))


@given(cursor=st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_cursor_gets_a_documented_answer(cursor: str) -> None:
    response = client().get("/api/todos/?cursor=" + quote(cursor.encode(errors="replace")))
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")


@given(since=st.integers(0, 2**54).map(str) | strings)
def test_any_position_gets_a_documented_answer(since: str) -> None:
    make_todo()
    assert_answered(client().get(f"/api/todos/changes/?since={encoded(since)}"))
