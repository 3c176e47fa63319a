"""Every route, with the answers of its methods to the owner of the todo in its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FROBNICATE")


@dataclass(frozen=True)
class Rule:
    """``answers`` has the status of each method. The answer to any other method is 405."""

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
CHANGES = [
    (route, method)
    for route, method in CASES_ABOUT_ONE_TODO
    if method in ROUTES[route].answers and method not in READ
]


def every_case(cases: list[tuple[str, str]]) -> pytest.MarkDecorator:
    parameters = [pytest.param(*case, id=f"{case[1]} {case[0]}") for case in cases]
    return pytest.mark.parametrize(("route", "method"), parameters)


def ask(client: Client, method: str, route: str, todo_id: Any, **headers: str) -> Any:
    path = path_of(route, todo_id)
    return client.generic(method, path, ROUTES[route].body, "application/json", headers=headers)


def path_of(route: str, todo_id: Any) -> str:
    return route.replace("<str:pk>", str(todo_id))
