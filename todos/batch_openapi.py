"""What the OpenAPI document says of batches: an operation is what single requests take."""

from __future__ import annotations

from typing import Any

from api.bodies.fields import TextField
from api.errors.schema import reference, response_name
from todos.batch import MAX_OPERATIONS
from todos.openapi import EXAMPLE

JSON = dict[str, Any]

TARGET = {
    "id": {"type": "string", "format": "uuid"},
    "etag": {"type": "string", "minLength": 1, **TextField.openapi},
}
ACTION = {"type": "object", "properties": {}, "additionalProperties": False}
OPERATIONS = ("BatchCreate", "BatchUpdate", "BatchAction")
REQUEST = {
    "type": "object",
    "examples": [{"operations": [{"op": "create", **EXAMPLE}]}],
    "required": ["operations"],
    "additionalProperties": False,
    "properties": {
        "operations": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_OPERATIONS,
            "items": {"oneOf": [reference("schemas", name) for name in OPERATIONS]},
        }
    },
}
RESULTS = {
    "type": "array",
    "items": {"anyOf": [reference("schemas", "Todo"), {"type": "null"}]},
}
RESULT = {"type": "object", "required": ["results"], "properties": {"results": RESULTS}}


def add_batch(result: JSON, **kwargs: Any) -> JSON:
    """A postprocessing hook of drf-spectacular."""
    schemas = result["components"]["schemas"]
    schemas["BatchCreate"] = operation(["create"], {}, schemas["TodoRequest"])
    schemas["BatchUpdate"] = operation(["update"], TARGET, schemas["PatchedTodoRequest"])
    schemas["BatchAction"] = operation(["delete", "complete", "reopen"], TARGET, ACTION)
    schemas |= {"BatchRequest": REQUEST, "BatchResult": RESULT}
    batch = result["paths"]["/api/todos/batch/"]["post"]
    batch["requestBody"]["required"] = True
    for status in (412, 428):
        batch["responses"][str(status)] = reference("responses", response_name(status))
    return result


def operation(ops: list[str], target: JSON, like: JSON) -> JSON:
    """The schema of an operation: its ``op`` and its target beside the fields of a request.

    Generators know an ``enum`` of one with its type. What they make of a ``const`` differs.
    """
    own = {"op": {"type": "string", "enum": ops}, **target}
    required = {"op", *like.get("required", []), *({"id"} & own.keys())}
    properties = {**like["properties"], **own}
    schema = {**like, "required": sorted(required), "properties": properties}
    schema.pop("examples", None)  # they have no op
    return schema
