from __future__ import annotations

import json
from typing import Any


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is the problem document of an error, and return its members."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["X-Content-Type-Options"] == "nosniff"
    body: dict[str, Any] = json.loads(response.content)
    assert {"type", "title", "status", "detail", "instance", "code"} <= set(body)
    assert (body["type"], body["status"], body["code"]) == ("about:blank", status, code)
    assert body["instance"] == f"urn:uuid:{response['X-Request-Id']}"
    assert response["Content-Length"] == str(len(response.content))
    return body


def without_instance(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "instance"}
