"""The parts of the OpenAPI document that operations share: problems and header fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework import exceptions

from api.errors.exceptions import (
    PROBLEM_MEDIA_TYPE,
    BadRequest,
    ContentTooLarge,
    DatabaseUnavailable,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    IdempotencyKeysUsedUp,
    InternalError,
    InvalidHeader,
    InvalidParameter,
    LengthRequired,
    NotReady,
    Overloaded,
    PreconditionFailed,
    PreconditionRequired,
    RequestTimeout,
    SearchTooBroad,
    TooManyRequests,
)
from api.errors.handler import problem_document, title_of
from authn.authentication import InvalidToken, VerificationUnavailable
from authn.exceptions import KeysUnavailable, TokenRejected

JSON = dict[str, Any]


def reference(kind: str, name: str) -> JSON:
    return {"$ref": f"#/components/{kind}/{name}"}


TEXT = {"type": "string"}
EXAMPLE_REQUEST_ID = "0f0c4c5e-3d0b-4b1a-9d5b-3c0f0e0a7c11"
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
        response_name(status): problem_response(status, errors)
        for status, errors in problems().items()
    }
    return result


def all_codes() -> list[str]:
    """The codes of problems that an operation answers, or that a probe or a wrong method gets."""
    known = (code for errors in problems().values() for code in errors)
    return sorted({*known, NotReady.default_code, exceptions.MethodNotAllowed.default_code})


def problems() -> dict[int, dict[str, exceptions.APIException]]:
    """Every status of a problem of an operation: code -> error."""
    found: dict[int, dict[str, exceptions.APIException]] = {}
    for error in sorted(_errors(), key=lambda error: (error.status_code, _code_of(error))):
        found.setdefault(error.status_code, {})[_code_of(error)] = error
    return found


def _errors() -> Iterator[exceptions.APIException]:
    yield BadRequest()
    yield InvalidHeader("Idempotency-Key", "invalid", "…")
    yield InvalidParameter("nope", "unknown", "…")
    yield exceptions.ParseError()
    yield exceptions.ValidationError({"title": exceptions.ErrorDetail("…", "blank")})
    yield exceptions.NotAuthenticated()
    yield from (InvalidToken(reason()) for reason in TokenRejected.__subclasses__())
    yield exceptions.PermissionDenied()
    yield exceptions.NotFound()
    yield exceptions.NotAcceptable()
    yield RequestTimeout()
    yield IdempotencyKeyInFlight()
    yield LengthRequired()
    yield PreconditionFailed()
    yield ContentTooLarge()
    yield exceptions.UnsupportedMediaType("text/plain")
    yield IdempotencyKeyReused()
    yield PreconditionRequired()
    yield IdempotencyKeysUsedUp(wait_seconds=3600)
    yield TooManyRequests(wait=42)
    yield InternalError()
    yield DatabaseUnavailable()
    yield Overloaded()
    yield SearchTooBroad()
    yield VerificationUnavailable(KeysUnavailable(retry_after_seconds=1))


def _code_of(error: exceptions.APIException) -> str:
    return str(problem_document(error, request_id=EXAMPLE_REQUEST_ID)["code"])


def problem_response(status: int, errors: dict[str, exceptions.APIException]) -> JSON:
    title = title_of(status)
    names = (*HEADERS_OF_PROBLEMS.get(status, ()), *COUNTED)
    return {
        "description": f"{title}: {', '.join(f'`{code}`' for code in errors)}.",
        "headers": {name: reference("headers", name) for name in names},
        "content": {
            PROBLEM_MEDIA_TYPE: {
                "schema": reference("schemas", "Problem"),
                "examples": {
                    code: {"value": problem_document(error, request_id=EXAMPLE_REQUEST_ID)}
                    for code, error in errors.items()
                },
            }
        },
    }


def response_name(status: int) -> str:
    """``404`` -> ``NotFound``."""
    return "".join(filter(str.isalpha, title_of(status).title()))
