"""No access to other users' rows: every route x every method x anonymous, owner and stranger.

A route that no viewset classifies fails until its app declares it, so it needs a decision.
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
from api.owned.models import OwnedModel
from api.owned.registry import Resource
from authn.testing import Bearer, Mint
from operations.middleware import VIEWS
from tests.support.problems import without_instance
from tests.support.routes import (
    CASES,
    CASES_ABOUT_ONE_ROW,
    FOR_OPERATORS,
    OPEN_ROUTES,
    ROUTES,
    ask,
    every_case,
    every_resource,
    make_row_for,
    path_of,
    paths_of,
)
from tests.support.rows import make_row

pytestmark = pytest.mark.django_db

LONG_ENOUGH = 5  # characters of a value to be in no answer by chance


def test_every_route_is_classified() -> None:
    routes = {route for route, _ in iterate_routes(get_resolver())}
    assert routes == {*ROUTES, *OPEN_ROUTES}, "Declare the route in <app>/tests/routes.py."
    assert [*VIEWS] == FOR_OPERATORS


def test_every_route_requires_a_token_or_says_why_not() -> None:
    for route, callback in iterate_routes(get_resolver()):
        assert asks_for_token(callback) == (route not in OPEN_ROUTES)
        assert reason_to_be_open(callback) == OPEN_ROUTES.get(route, "")


@every_case(CASES)
def test_a_request_without_a_token_is_401_and_costs_no_query(
    anonymous: Client, route: str, method: str
) -> None:
    row = make_row_for(route)
    with CaptureQueriesContext(connection) as queries:
        response = ask(anonymous, method, route, row.pk)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="todos"'
    assert not queries.captured_queries
    assert is_as_it_was(row)
    assert shows_nothing_of(row, response)


@every_case(CASES)
def test_the_owner_gets_the_answer_of_the_method(alice: Client, route: str, method: str) -> None:
    response = ask(alice, method, route, make_row_for(route).pk)
    assert response.status_code == ROUTES[route].answers.get(method, 405)
    if response.status_code == 405:
        allowed = {name.strip() for name in response["Allow"].split(",")}
        assert allowed == set(ROUTES[route].answers) | ({"HEAD"} & allowed)


@every_case(CASES_ABOUT_ONE_ROW)
def test_a_strangers_row_is_forbidden(bob: Client, route: str, method: str) -> None:
    row = make_row_for(route)
    with CaptureQueriesContext(connection) as queries:
        response = ask(bob, method, route, row.pk)
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
    assert shows_nothing_of(row, response)
    for query in queries:  # every row is loaded by its owner
        assert "\"owner_id\" = 'bob'" in query["sql"] or query["sql"].startswith("SELECT 1 AS")
    assert is_as_it_was(row)


@every_case(CASES_ABOUT_ONE_ROW)
def test_a_missing_row_is_404(bob: Client, route: str, method: str) -> None:
    response = ask(bob, method, route, uuid.uuid4())
    assert response.status_code == 404


@every_case(CASES_ABOUT_ONE_ROW)
def test_a_stranger_learns_nothing_from_a_broken_body(bob: Client, route: str, method: str) -> None:
    path = path_of(route, make_row_for(route).pk)
    for body, media_type in (("{", "application/json"), ("a=b", "text/plain")):
        assert bob.generic(method, path, body, media_type).status_code == 403


@every_resource
def test_a_path_without_its_slash_is_guarded(
    anonymous: Client, bob: Client, resource: Resource
) -> None:
    for path in paths_of(resource, make_row(resource.view.model).pk):
        assert anonymous.post(path.rstrip("/")).status_code == 401
        assert bob.post(path.rstrip("/")).status_code == 403


@every_case(CASES)
def test_an_unknown_query_parameter_is_400_and_selects_no_owner(
    alice: Client, bob: Client, route: str, method: str
) -> None:
    row = make_row_for(route)
    path = path_of(route, row.pk)
    expected = 400 if method in ROUTES[route].answers else 405
    assert alice.generic(method, f"{path}?owner_id=bob").status_code == expected
    if (route, method) in CASES_ABOUT_ONE_ROW:
        assert bob.generic(method, f"{path}?owner_id=alice").status_code == 403
    assert is_as_it_was(row)


@pytest.mark.parametrize("route", [*OPEN_ROUTES, *FOR_OPERATORS])
def test_open_routes_refuse_unknown_query_parameters(anonymous: Client, route: str) -> None:
    # Without METRICS_TOKEN and OAUTH_RESOURCE there are no such paths.
    expected = 404 if route == "/metrics" or "oauth" in route else 400
    assert anonymous.get(f"{route}?format=yaml").status_code == expected


@every_resource
def test_a_similar_sub_is_another_user(bearer: Bearer, mint: Mint, resource: Resource) -> None:
    row = make_row(resource.view.model, owner_id="alice")
    for sub in ("Alice", "alice ", " alice", "alic", "alice\u200b", "%", "_____", "àlice"):
        client = bearer(mint(sub=sub))
        assert client.get(f"{resource.path}{row.pk}/").status_code == 403
        assert client.get(resource.path).json()["results"] == []


def is_as_it_was(row: OwnedModel) -> bool:
    """Tell whether the row is stored with the same values, and is the only one."""
    stored = type(row).objects.get()
    names = [field.attname for field in row._meta.concrete_fields]
    return all(getattr(stored, name) == getattr(row, name) for name in names)


def shows_nothing_of(row: OwnedModel, response: Any) -> bool:
    """Tell whether no text, date or number of the row is in a response."""
    answer = f"{response.headers} {response.content.decode()}"
    values = {str(getattr(row, field.attname)) for field in row._meta.concrete_fields}
    return not any(value in answer for value in values if len(value) > LONG_ENOUGH)
