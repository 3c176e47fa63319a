"""Whatever a client sends, it is answered, and never with a 5xx."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.headers import drop_unreadable_headers
from api.tests.test_problems import problem
from authn.testing import SecretIssuer
from conftest import SECRET
from todos.batch import OPERATIONS
from todos.due import zone_names
from todos.filters import DUE
from todos.models import Priority, Todo
from todos.serializers import TodoSerializer
from todos.tests.factories import make_todo
from todos.views import TodoViewSet

pytestmark = pytest.mark.django_db

slowly = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# These stand for the id and the version of a todo of Alice's, and for the id of one of Bob's.
MINE, VERSION, BOBS = "the id of mine", "its version", "the id of Bob's"

strings = st.text() | st.text(st.characters(categories=["Cs", "Cc", "Mn", "Zl"]), min_size=1)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | strings,
    lambda children: st.lists(children) | st.dictionaries(strings, children),
    max_leaves=8,
)
dates = st.dates().map(str)
minutes = st.times().map(lambda moment: moment.isoformat("minutes"))
zones = st.sampled_from(sorted(zone_names()))
moments = st.datetimes().map(datetime.isoformat)
offsets = st.sampled_from(["Z", "+14:00", "-12:00", "+00:60"])
times = st.builds("{}{}".format, moments, offsets)
lines = st.text(min_size=1)
oddities = st.sampled_from(["", "24:00", "0001-01-01", "9999-12-31", "x" * 501, "x" * 10_001])

# What may be taken, and what may not be, in a body.
sound = st.fixed_dictionaries(
    {"title": lines},
    optional={
        "description": st.text(),
        "completed": st.booleans(),
        "priority": st.sampled_from(Priority.labels),
        "due_date": st.none() | dates | oddities,
        "due_time": st.none() | minutes,
        "timezone": st.none() | zones,
        "tags": st.lists(lines, max_size=21),
    },
)
names = st.sampled_from([*TodoSerializer.Meta.fields, "op", "operations", "owner_id", "", "/~"])
unsound = st.dictionaries(names | strings, anything | oddities | dates, max_size=3)
fields = sound | st.builds(lambda first, then: {**first, **then}, sound, unsound)
etags = st.sampled_from(["*", f'"{VERSION}"', f'W/"{VERSION}"', '"other"'])
operations = st.builds(
    lambda fields, op: {**fields, **op},
    fields,
    st.fixed_dictionaries({"op": st.just("create")})
    | st.fixed_dictionaries(
        {"op": st.just("update"), "id": st.sampled_from([MINE, MINE, BOBS]) | anything},
        optional={"etag": etags | anything},
    ),
) | st.fixed_dictionaries(
    {"op": st.sampled_from(OPERATIONS), "id": st.sampled_from([MINE, MINE, BOBS])},
    optional={"etag": etags},
)

# In a query.
values = {
    "completed": st.sampled_from(["true", "false"]),
    "priority": st.sampled_from(Priority.labels),
    "tag": lines,
    "q": st.text(),
    "due": st.sampled_from([*DUE]),
    "tz": zones,
    "limit": st.integers(1, 200).map(str),
    "ordering": st.sampled_from([*TodoViewSet.orderings]),
    **{f"due_{side}": dates for side in ("from", "before")},
    **{f"{of}_{side}": times for of in ("created", "updated") for side in ("from", "before")},
}
parameters = st.sampled_from([*values]).flatmap(
    lambda name: st.tuples(st.just(name), values[name] | oddities | strings)
)
sound_queries = st.fixed_dictionaries({}, optional=values).map(dict.items)

# And beside them.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
PATHS = ("", "batch/", f"{MINE}/", f"{MINE}/complete/", f"{MINE}/reopen/")
targets = st.sampled_from(
    [*product(METHODS, PATHS), *(("PATCH", f"{MINE}/"), ("PUT", f"{MINE}/"), ("POST", "")) * 9]
)
pieces = ['"', "*", ",", ";", "=", "/", "%", " ", "\t", "\x00", "\xff", "W/", f'"{VERSION}"']
headers = st.dictionaries(
    st.sampled_from(["If-Match", "If-None-Match", "Idempotency-Key", "Accept", "Content-Type"]),
    st.text(st.characters(max_codepoint=255))
    | st.lists(st.sampled_from([*pieces, "q", "x*", "application/json"])).map("".join)
    | st.sampled_from(["application/json", "application/merge-patch+json", f'"{VERSION}"']),
    min_size=1,
)


class ServedClient(Client):
    """Sends what a server lets through to Django."""

    def request(self, **environ: Any) -> Any:
        drop_unreadable_headers(environ)
        return super().request(**environ)


def client() -> Client:
    token = SecretIssuer(SECRET).mint(sub="alice", iat=None, exp=4_000_000_000)
    return ServedClient(headers={"authorization": f"Bearer {token}"})


def assert_answered(response: Any) -> None:
    assert response.status_code < 500
    if response.status_code >= 400 and response.request["REQUEST_METHOD"] != "HEAD":
        problem(response, response.status_code, response.json()["code"])


def assert_bobs_is_untouched(bobs: Todo) -> None:
    assert Todo.objects.get(owner_id="bob", pk=bobs.pk).version == bobs.version


def filled_in(text: str, mine: Todo, bobs: Todo) -> str:
    values = {MINE: str(mine.pk), VERSION: mine.version, BOBS: str(bobs.pk)}
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


@slowly
@given(target=targets, body=fields | anything)
def test_any_json(target: tuple[str, str], body: Any) -> None:
    method, path = target
    mine, bobs = make_todo(), make_todo(owner_id="bob")
    path = filled_in(f"/api/todos/{path}", mine, bobs)
    assert_answered(client().generic(method, path, json.dumps(body), "application/json"))
    assert_bobs_is_untouched(bobs)


@slowly
@given(operations=st.lists(operations, min_size=1, max_size=4), key=st.booleans())
def test_any_batch(operations: list[Any], key: bool) -> None:
    mine, bobs = make_todo(), make_todo(owner_id="bob")
    text = filled_in(json.dumps({"operations": operations}), mine, bobs)
    headers = {"idempotency-key": str(mine.pk)} if key else {}
    for _ in range(2):
        assert_answered(
            client().generic("POST", "/api/todos/batch/", text, "application/json", headers=headers)
        )
    assert_bobs_is_untouched(bobs)


@slowly
@given(target=targets, headers=headers)
def test_any_header(target: tuple[str, str], headers: dict[str, str]) -> None:
    method, path = target
    mine, bobs = make_todo(), make_todo(owner_id="bob")
    path = filled_in(f"/api/todos/{path}", mine, bobs)
    sent = {name: filled_in(value, mine, bobs) for name, value in headers.items()}
    for _ in range(2):
        body = '{"title": "x"}'
        assert_answered(client().generic(method, path, body, "application/json", headers=sent))
    assert_bobs_is_untouched(bobs)


@slowly
@given(body=st.binary(), media_type=st.sampled_from(["application/json", "", "text/html", ";"]))
def test_any_bytes(body: bytes, media_type: str) -> None:
    path = f"/api/todos/{make_todo().pk}/"
    for method, target in (("POST", "/api/todos/"), ("PUT", path), ("PATCH", path)):
        assert_answered(client().generic(method, target, body, media_type))


def encoded(text: str) -> str:
    return quote(text.encode(errors="surrogatepass"), safe="/")


def query_string(query: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in query)


@slowly
@given(path=strings, query=st.lists(st.tuples(strings, strings)))
def test_any_path_and_query(path: str, query: list[tuple[str, str]]) -> None:
    for start in ("/", "/api/", "/api/todos/"):
        assert_answered(client().get(f"{start}{encoded(path)}?{query_string(query)}"))


@slowly
@given(query=sound_queries | st.lists(parameters))
def test_any_value_of_a_parameter(query: Iterable[tuple[str, str]]) -> None:
    make_todo()
    assert_answered(client().get(f"/api/todos/?{query_string(query)}"))


@slowly
@given(cursor=st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_cursor(cursor: str) -> None:
    response = client().get("/api/todos/?cursor=" + quote(cursor.encode(errors="replace")))
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
