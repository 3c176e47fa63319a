"""Every route, with the answers of its methods to the owner of the row in its path.

The routes of a resource are known from its viewset. Its app declares any other route.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from api.checks import iterate_routes
from api.owned.push import NEW
from api.owned.registry import Resource, owned_models, resources
from api.owned.viewset import OwnedViewSet
from tests.support.apps import declared, project_apps
from tests.support.rows import make_row
from tests.support.rules import READ, Rule

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FROBNICATE")
STATUSES = {
    "list": 200,
    "changes": 200,
    "create": 201,
    "retrieve": 200,
    "update": 200,
    "partial_update": 200,
    "destroy": 204,
    "trash": 200,
}
ROW_ID = "<str:pk>"


def routes_of_resources() -> Iterator[tuple[str, Rule]]:
    for route, callback in iterate_routes(get_resolver()):
        view: Any = getattr(callback, "cls", object)
        if not issubclass(view, OwnedViewSet):
            continue
        actions = {
            method.upper(): name
            for method, name in callback.actions.items()
            if method in view.http_method_names
        }
        standard = STATUSES.keys() & actions.values()
        if standard or callback.initkwargs["detail"]:
            answers = {method: STATUSES.get(name, 200) for method, name in actions.items()}
            if "GET" in answers:
                answers["HEAD"] = answers["GET"]
            body = json.dumps(view.serializer_class.example) if standard else ""
            yield route, Rule({**answers, "OPTIONS": 200}, body, view.model)
        elif "sync" in actions.values():
            body = json.dumps([{NEW: {"id": ROW_ID, **view.serializer_class.example}}])
            yield route, Rule({"POST": 200, "OPTIONS": 200}, body, view.model)


RESOURCES = [*resources()]
ROUTES = {"/api/": Rule(READ), "/api/me/": Rule(READ), **dict(routes_of_resources())}
for app in project_apps():
    ROUTES |= declared(app, "routes").get("ROUTES", {})
METADATA = "It tells clients without a token who issues one."
OPEN_ROUTES: dict[str, str] = {
    "/": "The address of the API is no secret.",
    "/api/schema/": "The OpenAPI document is no secret, because clients are generated from it.",
    "/.well-known/oauth-protected-resource": METADATA,
    "/.well-known/oauth-protected-resource/<path:path>": METADATA,
}
# A probe has no token and learns nothing of any user. The metrics need METRICS_TOKEN.
FOR_OPERATORS = ["/healthz", "/readyz", "/metrics"]

CASES = [(route, method) for route in ROUTES for method in METHODS]
CASES_ABOUT_ONE_ROW = [case for case in CASES if ROW_ID in case[0]]
CHANGES = [
    (route, method)
    for route, method in CASES_ABOUT_ONE_ROW
    if method in ROUTES[route].answers and method not in READ
]

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=[r.plural for r in RESOURCES])


def every_case(cases: list[tuple[str, str]]) -> pytest.MarkDecorator:
    parameters = [pytest.param(*case, id=f"{case[1]} {case[0]}") for case in cases]
    return pytest.mark.parametrize(("route", "method"), parameters)


def make_row_for(route: str, **fields: Any) -> Any:
    """Store a row of Alice's that a route is about, unless told otherwise."""
    return make_row(ROUTES[route].model or owned_models()[0], **fields)


def ask(client: Client, method: str, route: str, row_id: Any, **headers: str) -> Any:
    path, body = path_of(route, row_id), ROUTES[route].body.replace(ROW_ID, str(row_id))
    return client.generic(method, path, body, "application/json", headers=headers)


def path_of(route: str, row_id: Any) -> str:
    return route.replace(ROW_ID, str(row_id))


def paths_of(resource: Resource, row_id: Any) -> list[str]:
    """Return the paths of a row: its own, and those of its extra actions."""
    path = f"{resource.path}{row_id}/"
    return [path, *(f"{path}{action.url_path}/" for action in resource.actions)]
