"""The parts of the OpenAPI document that operations share: problems and header fields."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from rest_framework import exceptions

from api.errors.exceptions import (
    STATUS_PROBLEMS,
    DatabaseUnavailable,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    IdempotencyKeysUsedUp,
    InvalidHeader,
    InvalidParameter,
    NotReady,
    SearchTooBroad,
)
from api.errors.handler import PROBLEM_MEDIA_TYPE, title_of
from api.writes.conditional import PreconditionFailed, PreconditionRequired
from authn.exceptions import KeysUnavailable, TokenRejected

JSON = dict[str, Any]


def reference(kind: str, name: str) -> JSON:
    return {"$ref": f"#/components/{kind}/{name}"}


TEXT = {"type": "string"}
# Codes of the members of `errors`: of a body, a query parameter, a header field or a check.
ERROR_CODES = (
    "blank",
    "control_character",
    "database_encoding",
    "database_unavailable",
    "due_at_unknown",
    "due_time_incomplete",
    "id_mismatch",
    "id_not_supported",
    "invalid",
    "invalid_choice",
    "invalid_op",
    "keys_unavailable",
    "max_length",
    "migrations_pending",
    "min_length",
    "not_a_list",
    "not_an_object",
    "not_found",
    "null",
    "null_characters_not_allowed",
    "out_of_range",
    "precondition_failed",
    "precondition_required",
    "repeated",
    "required",
    "surrogate_characters_not_allowed",
    "unknown",
    "unknown_field",
    "unknown_timezone",
)
PROBLEM: JSON = {
    "type": "object",
    "description": "A problem document (RFC 9457). `code` is stable, texts may change.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {**TEXT, "enum": ["about:blank"]},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "code": reference("schemas", "ProblemCode"),
        "instance": {**TEXT, "format": "uri", "description": "The request id, as in X-Request-Id."},
        "errors": {
            "type": "array",
            "description": "What is wrong where: in the body, a query parameter or a header field.",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {**TEXT, "description": "A JSON pointer (RFC 6901)."},
                    "parameter": TEXT,
                    "header": TEXT,
                    "check": {**TEXT, "description": "Of `/readyz`, which is for operators."},
                    "code": reference("schemas", "ErrorCode"),
                    "detail": TEXT,
                    "params": {
                        "type": "object",
                        "description": "The numbers of `detail`, for a text in another language.",
                        "additionalProperties": {"type": "integer"},
                        "examples": [{"max": 500}],
                    },
                },
            },
        },
    },
}
HEADERS: JSON = {
    "X-Request-Id": {"schema": {**TEXT, "format": "uuid"}, "required": True},
    "RateLimit-Policy": {
        "schema": TEXT,
        "description": "What is allowed: q requests in w seconds.",
        "example": '"user";q=600;w=60',
    },
    "RateLimit": {
        "schema": TEXT,
        "description": "What is left: r requests in the t seconds to come.",
        "example": '"user";r=599;t=42',
    },
    "Retry-After": {
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
        "description": "Seconds.",
    },
    "WWW-Authenticate": {"schema": TEXT, "required": True, "example": 'Bearer realm="todos"'},
}
COUNTED = ("RateLimit-Policy", "RateLimit", "X-Request-Id")
HEADERS_OF_PROBLEMS = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def add_shared_components(result: JSON, **kwargs: Any) -> JSON:
    """A postprocessing hook of drf-spectacular."""
    components = result["components"]
    components["schemas"] |= {
        "Problem": PROBLEM,
        "ProblemCode": {**TEXT, "enum": all_codes()},
        "ErrorCode": {**TEXT, "enum": [*ERROR_CODES]},
    }
    components["headers"] = HEADERS
    components["responses"] = {
        response_name(status): problem_response(status, codes)
        for status, codes in problem_codes().items()
        if status != HTTPStatus.METHOD_NOT_ALLOWED  # the answer of no operation
    }
    return result


def all_codes() -> list[str]:
    """The codes of all problems, and of the one that only probes get."""
    known = (code for codes in problem_codes().values() for code in codes)
    return sorted({*known, NotReady.default_code})


def problem_codes() -> dict[int, dict[str, str]]:
    """Every status of a problem, with the codes that it comes with and their details."""
    codes: dict[int, dict[str, str]] = {}
    for status, code, detail in sorted(_problems()):
        codes.setdefault(status, {})[code] = detail
    return codes


def _problems() -> Iterator[tuple[int, str, str]]:
    for status, (code, detail) in STATUS_PROBLEMS.items():
        yield status, code, detail
    for error in (
        InvalidParameter,
        InvalidHeader,
        DatabaseUnavailable,
        IdempotencyKeyInFlight,
        IdempotencyKeyReused,
        IdempotencyKeysUsedUp,
        PreconditionFailed,
        PreconditionRequired,
        SearchTooBroad,
        exceptions.ParseError,
        exceptions.NotAuthenticated,
        exceptions.NotAcceptable,
    ):
        yield error.status_code, error.default_code, str(error.default_detail)
    yield 400, "validation_failed", "The body is not valid."
    yield 415, exceptions.UnsupportedMediaType.default_code, 'Unsupported media type "text/plain".'
    yield 503, KeysUnavailable.code, KeysUnavailable.detail
    for reason in TokenRejected.__subclasses__():
        yield 401, reason.code, reason.detail


def problem_response(status: int, codes: dict[str, str]) -> JSON:
    title = title_of(status)
    names = (*HEADERS_OF_PROBLEMS.get(status, ()), *COUNTED)
    return {
        "description": f"{title}: {', '.join(f'`{code}`' for code in codes)}.",
        "headers": {name: reference("headers", name) for name in names},
        "content": {
            PROBLEM_MEDIA_TYPE: {
                "schema": reference("schemas", "Problem"),
                "examples": {code: example(status, code, codes[code]) for code in codes},
            }
        },
    }


def example(status: int, code: str, detail: str) -> JSON:
    value: JSON = {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "code": code,
        "instance": "urn:uuid:0f0c4c5e-3d0b-4b1a-9d5b-3c0f0e0a7c11",
    }
    if code == "validation_failed":
        value["errors"] = [{"pointer": "/title", "code": "blank", "detail": "…"}]
    return {"value": value}


def response_name(status: int) -> str:
    """``404`` -> ``NotFound``."""
    return "".join(filter(str.isalpha, title_of(status).title()))
