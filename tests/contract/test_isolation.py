"""No access to other users' todos: every route x every method x anonymous, owner and stranger.

A route that ``tests/support/routes.py`` does not classify fails, so a new one needs a decision.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from api.checks import asks_for_token, iterate_routes, reason_to_be_open
from operations.middleware import VIEWS
from tests.support.problems import without_instance
from tests.support.routes import (
    CASES,
    CASES_ABOUT_ONE_TODO,
    FOR_OPERATORS,
    OPEN_ROUTES,
    ROUTES,
    ask,
    every_case,
    path_of,
)
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db


def test_every_route_is_classified() -> None:
    routes = {route for route, _ in iterate_routes(get_resolver())}
    # lists/tests has the routes of lists until this table is made from the registry.
    known = {"/api/lists/", "/api/lists/<str:pk>/"}
    assert routes == {*ROUTES, *OPEN_ROUTES, *known}
    assert [*VIEWS] == FOR_OPERATORS


def test_every_route_requires_a_token_or_says_why_not() -> None:
    for route, callback in iterate_routes(get_resolver()):
        assert asks_for_token(callback) == (route not in OPEN_ROUTES)
        assert reason_to_be_open(callback) == OPEN_ROUTES.get(route, "")


@every_case(CASES)
def test_a_request_without_a_token_is_401_and_costs_no_query(
    anonymous: Client, route: str, method: str
) -> None:
    todo = make_todo(title="Private")
    with CaptureQueriesContext(connection) as queries:
        response = ask(anonymous, method, route, todo.pk)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="todos"'
    assert not queries.captured_queries
    assert Todo.objects.get().title == "Private"
    assert b"Private" not in response.content


@every_case(CASES)
def test_the_owner_gets_the_answer_of_the_method(alice: Client, route: str, method: str) -> None:
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
        assert without_instance(response.json()) == {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "You do not have permission to perform this action.",
            "code": "permission_denied",
        }
    assert "ETag" not in response
    assert str(todo.pk) not in str(response.headers)
    assert b"rivate" not in response.content
    for query in queries:  # every row is loaded by its owner
        assert "\"owner_id\" = 'bob'" in query["sql"] or query["sql"].startswith("SELECT 1 AS")
    assert Todo.objects.get().title == "Private"


@every_case(CASES_ABOUT_ONE_TODO)
def test_a_missing_todo_is_404(bob: Client, route: str, method: str) -> None:
    response = ask(bob, method, route, uuid.uuid4())
    assert response.status_code == 404


@every_case(CASES_ABOUT_ONE_TODO)
def test_a_stranger_learns_nothing_from_a_broken_body(bob: Client, route: str, method: str) -> None:
    todo = make_todo()
    path = path_of(route, todo.pk)
    for body, media_type in (("{", "application/json"), ("a=b", "text/plain")):
        assert bob.generic(method, path, body, media_type).status_code == 403


def test_a_path_without_its_slash_is_guarded(anonymous: Client, bob: Client) -> None:
    todo = make_todo()
    for path in (f"/api/todos/{todo.pk}", f"/api/todos/{todo.pk}/complete"):
        assert anonymous.post(path).status_code == 401
        assert bob.post(path).status_code == 403


@every_case(CASES)
def test_an_unknown_query_parameter_is_400_and_selects_no_owner(
    alice: Client, bob: Client, route: str, method: str
) -> None:
    todo = make_todo()
    path = path_of(route, todo.pk)
    expected = 400 if method in ROUTES[route].answers else 405
    assert alice.generic(method, f"{path}?owner_id=bob").status_code == expected
    if ROUTES[route].about_one_todo:
        assert bob.generic(method, f"{path}?owner_id=alice").status_code == 403
    assert Todo.objects.get().owner_id == "alice"


@pytest.mark.parametrize("route", [*OPEN_ROUTES, *FOR_OPERATORS])
def test_open_routes_refuse_unknown_query_parameters(anonymous: Client, route: str) -> None:
    # Without METRICS_TOKEN there is no such path.
    expected = 404 if route == "/metrics" else 400
    assert anonymous.get(f"{route}?format=yaml").status_code == expected


def test_a_similar_sub_is_another_user(bearer: Any, mint: Any) -> None:
    todo = make_todo(owner_id="alice")
    for sub in ("Alice", "alice ", " alice", "alic", "alice\u200b", "%", "_____", "àlice"):
        client = bearer(mint(sub=sub))
        assert client.get(f"/api/todos/{todo.pk}/").status_code == 403
        assert client.get("/api/todos/").json()["results"] == []
