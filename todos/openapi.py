"""The parts of the OpenAPI document of todos that drf-spectacular cannot derive."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema

from api.bodies.text import TextField
from api.errors.schema import reference, response_name
from api.openapi import JSON, merge
from api.owned.openapi import IDEMPOTENCY_KEY, REPLAYED
from todos.batch import MAX_OPERATIONS
from todos.serializers import TodoSerializer

NULL = {"type": "null"}

document_batch = extend_schema(
    operation_id="changeTodos",
    summary="Change several todos: all of them, in their order, or none",
    parameters=[IDEMPOTENCY_KEY, REPLAYED],
    request={"application/json": reference("schemas", "BatchRequest")},
    responses={200: reference("schemas", "BatchResult")},
)


def overlay(*, result: JSON, **kwargs: Any) -> JSON:
    """Add batches and the rule about times: a postprocessing hook of drf-spectacular."""
    merge(result, DUE_RULE)
    schemas = result["components"]["schemas"]
    schemas |= batches(schemas)
    stale = {str(status): reference("responses", response_name(status)) for status in (412, 428)}
    batch = {"post": {"requestBody": {"required": True}, "responses": stale}}
    merge(result, {"paths": {"/api/todos/batch/": batch}})
    return result


TIMED = {"required": ["due_time"], "properties": {"due_time": {"type": "string"}}}
BESIDE_A_TIME = {name: {"type": "string"} for name in ("due_date", "timezone")}
# A time needs a date and a timezone. A patch may leave them out, where the todo has them.
DUE_RULE = {
    "components": {
        "schemas": {
            "TodoRequest": {
                "if": TIMED,
                "then": {"required": [*BESIDE_A_TIME], "properties": BESIDE_A_TIME},
            },
            "PatchedTodoRequest": {
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
        "examples": [{"operations": [{"op": "create", **TodoSerializer.example}]}],
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
