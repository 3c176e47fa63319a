"""What the OpenAPI document says of todos."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from api.errors.schema import reference
from todos.serializers import TodoSerializer

JSON = dict[str, Any]

CHANGING = ("replaceTodo", "changeTodo", "deleteTodo", "completeTodo", "reopenTodo")
EXAMPLE = {
    "title": "Buy milk",
    "description": "Two litres",
    "priority": "high",
    "due_date": "2026-03-29",
    "due_time": "18:30",
    "timezone": "Europe/Berlin",
    "tags": ["home", "shopping"],
}

# Neither has a pattern: what is no list of entity tags is taken, and matches nothing.
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "examples": ["*", '"9U-UwHWJTug8S9Ll"']},
    OpenApiParameter.HEADER,
    description="Only if it is still this one: its `etag`, a list of them, or `*`. Otherwise 412.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    {"type": "string", "examples": ['"9U-UwHWJTug8S9Ll"']},
    OpenApiParameter.HEADER,
    description="Only if it is no longer this one. Otherwise 304.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": r"^[!-+\--~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="Chosen by the client. A repeat within 24 hours gets the stored answer.",
)
ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)
ETAG = OpenApiParameter(
    "ETag",
    {"type": "string", "pattern": '^"[A-Za-z0-9_-]+"$'},
    OpenApiParameter.HEADER,
    required=True,
    description="Strong: another one after every change.",
    response=[200, 201, 304],
)
LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.URI, OpenApiParameter.HEADER, required=True, response=[201]
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    description="There where this is the stored answer to an earlier request.",
    response=[200, 201, 204],
)


def changing(operation_id: str, summary: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        parameters=[ID, IF_MATCH, IDEMPOTENCY_KEY, ETAG, REPLAYED],
    )


def acting(operation_id: str, summary: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        summary=f"{summary}; repeating it changes nothing",
        parameters=[ID, IF_MATCH, IDEMPOTENCY_KEY, ETAG, REPLAYED],
        request=None,
    )


document_todos = extend_schema_view(
    list=extend_schema(operation_id="listTodos", summary="List one's own todos"),
    create=extend_schema(
        operation_id="createTodo",
        summary="Create a todo",
        parameters=[IDEMPOTENCY_KEY, ETAG, LOCATION, REPLAYED],
    ),
    retrieve=extend_schema(
        operation_id="getTodo",
        summary="Get a todo",
        parameters=[ID, IF_NONE_MATCH, ETAG],
        responses={200: TodoSerializer, 304: None},
    ),
    update=changing("replaceTodo", "Replace a todo: what is left out returns to its default"),
    partial_update=changing("changeTodo", "Change what the body names (RFC 7396)"),
    destroy=changing("deleteTodo", "Delete a todo"),
    complete=acting("completeTodo", "Complete a todo"),
    reopen=acting("reopenTodo", "Reopen a todo"),
    batch=extend_schema(
        operation_id="changeTodos",
        summary="Change several todos: all of them, in their order, or none",
        parameters=[IDEMPOTENCY_KEY, REPLAYED],
        request={"application/json": reference("schemas", "BatchRequest")},
        responses={200: reference("schemas", "BatchResult")},
    ),
)


def add_due_rule(result: JSON, **kwargs: Any) -> JSON:
    """A postprocessing hook: a time needs a date and a timezone, which a patch may find there."""
    schemas = result["components"]["schemas"]
    timed = {"required": ["due_time"], "properties": {"due_time": {"type": "string"}}}
    others = {name: {"type": "string"} for name in ("due_date", "timezone")}
    needs = {"required": [*others], "properties": others}
    schemas["TodoRequest"].update({"examples": [EXAMPLE], "if": timed, "then": needs})
    schemas["PatchedTodoRequest"].update({"if": timed, "then": {"properties": others}})
    for name in ("TodoRequest", "PatchedTodoRequest"):
        del schemas[name]["properties"]["id"]  # a change may repeat the one in its path
    return result


def add_links(result: JSON, **kwargs: Any) -> JSON:
    """A postprocessing hook: what can be done next with a todo that was answered."""
    links = {
        "getTodo": link("getTodo"),
        "getTodoIfChanged": link("getTodo", precondition="If-None-Match"),
        **{name: link(name, precondition="If-Match") for name in CHANGING},
    }
    result["components"]["links"] = links
    for response in _responses_of_a_todo(result):
        response["links"] = {name: reference("links", name) for name in links}
    return result


def link(operation_id: str, *, precondition: str = "") -> JSON:
    parameters = {"id": "$response.body#/id"}
    if precondition:
        parameters[precondition] = "$response.header.ETag"
    return {"operationId": operation_id, "parameters": parameters}


def _responses_of_a_todo(result: JSON) -> list[JSON]:
    shown = {"application/json": {"schema": reference("schemas", "Todo")}}
    operations = (each for path in result["paths"].values() for each in path.values())
    responses = (each for operation in operations for each in operation["responses"].values())
    return [each for each in responses if each.get("content") == shown]
