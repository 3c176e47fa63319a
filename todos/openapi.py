"""The parts of the OpenAPI document of todos that drf-spectacular cannot derive."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from api.bodies.text import TextField
from api.errors.schema import components, reference, response_name
from api.openapi import merge, name_choices
from todos.batch import MAX_OPERATIONS
from todos.serializers import TodoSerializer

JSON = dict[str, Any]
NULL = {"type": "null"}

REPEATABLE = "; repeating it changes nothing"
EXAMPLE = {
    "title": "Buy milk",
    "description": "Two litres",
    "priority": "high",
    "due_date": "2026-03-29",
    "due_time": "18:30",
    "timezone": "Europe/Berlin",
    "tags": ["home", "shopping"],
}

# No pattern: the API takes any text, and a malformed list matches nothing.
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "examples": ["*", '"9U-UwHWJTug8S9Ll"']},
    OpenApiParameter.HEADER,
    description="An `etag`, a list of them, or `*`. The answer is 412 if the todo has another one.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    {"type": "string", "examples": ['"9U-UwHWJTug8S9Ll"']},
    OpenApiParameter.HEADER,
    description="An `etag` or a list of them. The answer is 304 if the todo has one of them.",
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
    description="A strong entity tag, which every change replaces.",
    response=[200, 201, 304],
)
LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.URI, OpenApiParameter.HEADER, required=True, response=[201]
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    description="Present where the answer is the stored one of an earlier request.",
    response=[200, 201, 204],
)


def changing(operation_id: str, summary: str, **more: Any) -> Any:
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        parameters=[ID, IF_MATCH, IDEMPOTENCY_KEY, ETAG, REPLAYED],
        **more,
    )


document_todos = extend_schema_view(
    list=extend_schema(operation_id="listTodos", summary="List your todos"),
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
    update=changing("replaceTodo", "Replace a todo: omitted fields return to their defaults"),
    partial_update=changing("changeTodo", "Change the fields that the body names (RFC 7396)"),
    destroy=changing("deleteTodo", "Delete a todo"),
    complete=changing("completeTodo", f"Complete a todo{REPEATABLE}", request=None),
    reopen=changing("reopenTodo", f"Reopen a todo{REPEATABLE}", request=None),
    batch=extend_schema(
        operation_id="changeTodos",
        summary="Change several todos: all of them, in their order, or none",
        parameters=[IDEMPOTENCY_KEY, REPLAYED],
        request={"application/json": reference("schemas", "BatchRequest")},
        responses={200: reference("schemas", "BatchResult")},
    ),
)


def overlay(*, result: JSON, **kwargs: Any) -> JSON:
    """Add batches, links and shared components: a postprocessing hook of drf-spectacular."""
    document = name_choices(result)
    merge(document, DUE_RULE)
    schemas = document["components"]["schemas"]
    schemas |= batches(schemas)
    merge(document, ADDITIONS)
    merge(document, {"components": components()})
    return document


TIMED = {"required": ["due_time"], "properties": {"due_time": {"type": "string"}}}
BESIDE_A_TIME = {name: {"type": "string"} for name in ("due_date", "timezone")}
# A time needs a date and a timezone. A patch may leave them out, where the todo has them.
DUE_RULE = {
    "components": {
        "schemas": {
            "TodoRequest": {
                "properties": {"id": None},  # only a change may have one, and it repeats its path
                "examples": [EXAMPLE],
                "if": TIMED,
                "then": {"required": [*BESIDE_A_TIME], "properties": BESIDE_A_TIME},
            },
            "PatchedTodoRequest": {
                "properties": {"id": None},
                "if": TIMED,
                "then": {"properties": BESIDE_A_TIME},
            },
        }
    }
}


def batches(schemas: JSON) -> JSON:
    """Schemas of a batch, whose operations have an ``op`` beside the fields of a request."""
    target = {
        "id": {"type": "string", "format": "uuid"},
        "etag": {"type": "string", "minLength": 1, **TextField.openapi},
    }
    action = {"type": "object", "properties": {}, "additionalProperties": False}
    operations = {
        "BatchCreate": operation(["create"], {}, schemas["TodoRequest"]),
        "BatchUpdate": operation(["update"], target, schemas["PatchedTodoRequest"]),
        "BatchAction": operation(["delete", "complete", "reopen"], target, action),
    }
    request = {
        "type": "object",
        "examples": [{"operations": [{"op": "create", **EXAMPLE}]}],
        "required": ["operations"],
        "additionalProperties": False,
        "properties": {
            "operations": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_OPERATIONS,
                "items": {"oneOf": [reference("schemas", name) for name in operations]},
            }
        },
    }
    results = {"type": "array", "items": {"anyOf": [reference("schemas", "Todo"), NULL]}}
    result = {"type": "object", "required": ["results"], "properties": {"results": results}}
    return {**operations, "BatchRequest": request, "BatchResult": result}


def operation(ops: list[str], target: JSON, like: JSON) -> JSON:
    # Generators agree on an enum of one value, and not on a const.
    own = {"op": {"type": "string", "enum": ops}, **target}
    required = {"op", *like.get("required", []), *({"id"} & own.keys())}
    properties = {**like["properties"], **own}
    schema = {**like, "required": sorted(required), "properties": properties}
    schema.pop("examples", None)  # they have no op
    return schema


def link(operation_id: str, *preconditions: str) -> JSON:
    parameters = dict.fromkeys(preconditions, "$response.header.ETag")
    return {
        "operationId": operation_id,
        "parameters": {"id": "$response.body#/id", **parameters},
    }


NEXT = {
    "getTodo": link("getTodo"),
    "getTodoIfChanged": link("getTodo", "If-None-Match"),
    **{
        name: link(name, "If-Match")
        for name in ("replaceTodo", "changeTodo", "deleteTodo", "completeTodo", "reopenTodo")
    },
}
NEXT_OF = {"links": {name: reference("links", name) for name in NEXT}}
STALE = {str(status): reference("responses", response_name(status)) for status in (412, 428)}
OK = {"responses": {"200": NEXT_OF}}
ADDITIONS = {
    "components": {"links": NEXT},
    "paths": {
        "/api/todos/batch/": {"post": {"requestBody": {"required": True}, "responses": STALE}},
        "/api/todos/": {"post": {"responses": {"201": NEXT_OF}}},
        "/api/todos/{id}/": {"get": OK, "put": OK, "patch": OK},
        "/api/todos/{id}/complete/": {"post": OK},
        "/api/todos/{id}/reopen/": {"post": OK},
    },
}
