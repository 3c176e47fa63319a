from __future__ import annotations

import json
from typing import Any

from api.views import openapi_document


def example_of(path: str, method: str) -> str:
    """The JSON that the OpenAPI document has as an example for this operation, or ``{}``."""
    document = openapi_document()
    operation = document["paths"].get(path, {}).get(method, {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = _resolved(content.get("schema", {}), document)
    example: Any = next(iter(schema.get("examples", ())), {})
    return json.dumps(example, indent=2, ensure_ascii=False)


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    resolved: dict[str, Any] = document["components"]["schemas"].get(name, schema)
    return resolved
