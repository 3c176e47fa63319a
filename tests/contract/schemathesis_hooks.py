"""Rules that OpenAPI cannot express, for schemathesis: ``schemathesis.toml`` loads this file.

A request that is valid by the document may still be refused for what is stored, which no
document can say. Those refusals are told by their codes, so that any other one is a finding.
"""

from __future__ import annotations

import re
from itertools import cycle
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

REFUSED_FOR_WHAT_IS_STORED = {
    "changeTodo": {
        # The todo lacks a date or a zone, and the patch does not bring it.
        ("due_time", "due_time_incomplete"),
    },
    "changeTodos": {("due_time", "due_time_incomplete")},
    # The id in a body is made up, and is not that of the path.
    "replaceList": {("id", "id_mismatch")},
    "replaceTodo": {("id", "id_mismatch")},
}
REFUSED_ANYWHERE = {
    # The signature of a cursor, which cannot be made up.
    ("cursor", "invalid"),
    # The first and the last hours of the calendar are in no year of UTC, depending on the zone.
    ("due_time", "due_at_unknown"),
    # Made-up ids: of a todo in a batch, and of a list.
    ("id", "not_found"),
    ("list", "not_found"),
    ("list_id", "not_found"),
}

zones = available_timezones() - {"Factory", "localtime"}
schemathesis.openapi.format("timezone", strategies.sampled_from(sorted(zones)))
schemathesis.openapi.format("uuid", strategies.uuids(version=4).map(str))
_turns = cycle([True, False])
_pages: dict[str, dict[str, str]] = {}  # the newest by the label of the operation
_restored: set[str] = set()  # ids that are in use after a deletion


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Link a new todo to batches about it: OpenAPI has no way to put such a body together."""
    links = raw_schema["paths"]["/api/todos/"]["post"]["responses"]["201"]["links"]
    for op in ("update", "delete", "complete", "reopen"):
        operation = {"op": op, "id": "$response.body#/id", "etag": "$response.body#/etag"}
        body = {"operations": [operation]}
        links[f"batch-{op}"] = {"operationId": "changeTodos", "requestBody": body}


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """Tell whether it is a finding."""
    if isinstance(failure, UseAfterFree):
        return str(case.path_parameters.get("id")) not in _restored
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    operation_id = case.operation.definition.raw["operationId"]
    excused = REFUSED_FOR_WHAT_IS_STORED.get(operation_id, set()) | REFUSED_ANYWHERE
    return not {_refusal(error) for error in response.json()["errors"]} <= excused


def _refusal(error: dict[str, str]) -> tuple[str, str]:
    """``/operations/3/id`` -> ``id``, with the code."""
    place = error.get("parameter") or error["pointer"].rpartition("/")[2]
    return place, error["code"]


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    # Schemathesis made the invalid part on purpose.
    if case.meta is not None and case.meta.generation.mode.is_positive:
        _send_each_key_once(case)
        _send_a_real_cursor(case)


def _send_each_key_once(case: Case[Any]) -> None:
    """Otherwise most requests to create one are 422, and nothing looks at their bodies."""
    key = case.headers.get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[!-+\--~]{1,255}", key):
        case.headers["Idempotency-Key"] = f"{key[:200]}-{uuid4()}"


def _send_a_real_cursor(case: Case[Any]) -> None:
    """Every second time. Otherwise each list with a cursor is 400."""
    page = _pages.get(case.operation.label)
    if "cursor" in case.query and page and next(_turns):
        case.query.update(page)


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Note what is restored, where the next page of a list starts, and in which order."""
    if case.operation.path.endswith("/restore/") and response.status_code == 200:
        _restored.add(str(case.path_parameters["id"]))
    if not case.operation.label.startswith("GET /api/") or response.status_code != 200:
        return
    body = response.json()
    if link := body.get("next") or body.get("previous"):
        default = "-deleted_at" if case.operation.path.endswith("/trash/") else "-created_at"
        query = {"ordering": default, **dict(parse_qsl(urlsplit(link).query))}
        _pages[case.operation.label] = {name: query[name] for name in ("cursor", "ordering")}
