"""Unauthorised access is impossible: every route x every method x everyone who may ask.

A route that this file does not classify fails it, so that nobody can add one without
deciding who may use it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from api.checks import asks_for_token, iterate_routes, reason_to_be_open
from operations.middleware import VIEWS
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FROBNICATE")


@dataclass(frozen=True)
class Rule:
    """What a route answers: to its methods (by the owner of what it is about), or 405."""

    answers: dict[str, int]
    body: str = '{"title": "Changed"}'
    about_one_todo: bool = False


READ = {"GET": 200, "HEAD": 200, "OPTIONS": 200}
ROUTES = {
    "/api/": Rule(READ),
    "/api/me/": Rule(READ),
    "/api/todos/": Rule({**READ, "POST": 201}),
    "/api/todos/batch/": Rule(
        {"OPTIONS": 200, "POST": 200},
        body='{"operations": [{"op": "create", "title": "Another"}]}',
    ),
    "/api/todos/<str:pk>/": Rule(
        {**READ, "PUT": 200, "PATCH": 200, "DELETE": 204}, about_one_todo=True
    ),
    "/api/todos/<str:pk>/complete/": Rule(
        {"OPTIONS": 200, "POST": 200}, body="", about_one_todo=True
    ),
    "/api/todos/<str:pk>/reopen/": Rule(
        {"OPTIONS": 200, "POST": 200}, body="", about_one_todo=True
    ),
}
OPEN_ROUTES: dict[str, str] = {
    "/": "The address of the API is no secret.",
    "/api/schema/": "The OpenAPI document is no secret, because clients are generated from it.",
}
# A probe has no token and learns nothing of any user. The metrics need METRICS_TOKEN.
FOR_OPERATORS = ["/healthz", "/readyz", "/metrics"]

CASES = [(route, method) for route in ROUTES for method in METHODS]
CASES_ABOUT_ONE_TODO = [case for case in CASES if ROUTES[case[0]].about_one_todo]


def every_case(cases: list[tuple[str, str]]) -> pytest.MarkDecorator:
    parameters = [pytest.param(*case, id=f"{case[1]} {case[0]}") for case in cases]
    return pytest.mark.parametrize(("route", "method"), parameters)


def ask(client: Client, method: str, route: str, todo_id: Any) -> Any:
    path = route.replace("<str:pk>", str(todo_id))
    return client.generic(method, path, ROUTES[route].body, "application/json")


def without_instance(response: Any) -> dict[str, Any]:
    return {name: value for name, value in response.json().items() if name != "instance"}


def test_every_route_is_classified() -> None:
    assert {route for route, _ in iterate_routes(get_resolver())} == {*ROUTES, *OPEN_ROUTES}
    assert [*VIEWS] == FOR_OPERATORS


def test_every_route_asks_for_a_token_or_says_why_not() -> None:
    for route, callback in iterate_routes(get_resolver()):
        assert asks_for_token(callback) == (route not in OPEN_ROUTES)
        assert reason_to_be_open(callback) == OPEN_ROUTES.get(route, "")


@every_case(CASES)
def test_nobody_without_a_token_gets_in(anonymous: Client, route: str, method: str) -> None:
    todo = make_todo(title="Private")
    with CaptureQueriesContext(connection) as queries:
        response = ask(anonymous, method, route, todo.pk)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="todos"'
    assert not queries.captured_queries
    assert Todo.objects.get().title == "Private"
    assert b"Private" not in response.content


@every_case(CASES)
def test_the_owner_gets_what_the_method_does(alice: Client, route: str, method: str) -> None:
    todo = make_todo(title="Private")
    response = ask(alice, method, route, todo.pk)
    assert response.status_code == ROUTES[route].answers.get(method, 405)
    if response.status_code == 405:
        allowed = {name.strip() for name in response["Allow"].split(",")}
        assert allowed == set(ROUTES[route].answers) | ({"HEAD"} & allowed)


@every_case(CASES_ABOUT_ONE_TODO)
def test_a_strangers_todo_is_forbidden(bob: Client, route: str, method: str) -> None:
    todo = make_todo(title="Private", description="Very private")
    with CaptureQueriesContext(connection) as queries:
        response = ask(bob, method, route, todo.pk)
    assert response.status_code == 403
    if method != "HEAD":
        assert without_instance(response) == {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "You do not have permission to perform this action.",
            "code": "permission_denied",
        }
    assert "ETag" not in response
    assert str(todo.pk) not in str(response.headers)
    assert b"rivate" not in response.content
    for query in queries:  # no row is loaded but by its owner
        assert "\"owner_id\" = 'bob'" in query["sql"] or query["sql"].startswith("SELECT 1 AS")
    assert Todo.objects.get().title == "Private"


@every_case(CASES_ABOUT_ONE_TODO)
def test_a_missing_todo_is_missing(bob: Client, route: str, method: str) -> None:
    response = ask(bob, method, route, uuid.uuid4())
    assert response.status_code == 404


@every_case(CASES_ABOUT_ONE_TODO)
def test_a_stranger_learns_nothing_from_a_broken_body(bob: Client, route: str, method: str) -> None:
    todo = make_todo()
    path = route.replace("<str:pk>", str(todo.pk))
    for body, media_type in (("{", "application/json"), ("a=b", "text/plain")):
        assert bob.generic(method, path, body, media_type).status_code == 403


def test_a_path_without_its_slash_is_guarded_alike(anonymous: Client, bob: Client) -> None:
    todo = make_todo()
    for path in (f"/api/todos/{todo.pk}", f"/api/todos/{todo.pk}/complete"):
        assert anonymous.post(path).status_code == 401
        assert bob.post(path).status_code == 403


@every_case(CASES)
def test_no_query_parameter_is_ignored_in_silence(
    alice: Client, bob: Client, route: str, method: str
) -> None:
    todo = make_todo()
    path = route.replace("<str:pk>", str(todo.pk))
    expected = 400 if method in ROUTES[route].answers else 405
    assert alice.generic(method, f"{path}?owner_id=bob").status_code == expected
    if ROUTES[route].about_one_todo:
        assert bob.generic(method, f"{path}?owner_id=alice").status_code == 403
    assert Todo.objects.get().owner_id == "alice"


@pytest.mark.parametrize("route", [*OPEN_ROUTES, *FOR_OPERATORS])
def test_routes_without_a_token_ignore_no_query_parameter(anonymous: Client, route: str) -> None:
    # Without METRICS_TOKEN there is no such path.
    expected = 404 if route == "/metrics" else 400
    assert anonymous.get(f"{route}?format=yaml").status_code == expected


def test_sub_is_compared_to_the_letter(bearer: Any, mint: Any) -> None:
    todo = make_todo(owner_id="alice")
    for sub in ("Alice", "alice ", " alice", "alic", "alice\u200b", "%", "_____", "àlice"):
        client = bearer(mint(sub=sub))
        assert client.get(f"/api/todos/{todo.pk}/").status_code == 403
        assert client.get("/api/todos/").json()["results"] == []
