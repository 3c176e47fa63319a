"""Problems and header fields in the OpenAPI document."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from rest_framework import exceptions as drf
from rest_framework.exceptions import APIException

from api.errors import exceptions as own
from api.errors.handler import problem_document, title_of
from authn.authentication import InvalidToken, VerificationUnavailable
from authn.exceptions import KeysUnavailable, TokenRejected
from authn.permissions import InsufficientScope

JSON = dict[str, Any]


def reference(kind: str, name: str) -> JSON:
    return {"$ref": f"#/components/{kind}/{name}"}


TEXT = {"type": "string"}
REQUEST_ID = "0f0c4c5e-3d0b-4b1a-9d5b-3c0f0e0a7c11"
# Codes in `errors`: of a body, a query parameter, a header field or a check.
ERROR_CODES = (
    "blank",
    "control_character",
    "database_encoding",
    "database_unavailable",
    "due_at_unknown",
    "due_time_incomplete",
    "id_mismatch",
    "id_taken",
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
        "instance": {
            **TEXT,
            "format": "uri",
            "description": "The id in `X-Request-Id`.",
        },
        "errors": {
            "type": "array",
            "description": "The mistakes in the body, a query parameter or a header field.",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {**TEXT, "description": "A JSON pointer (RFC 6901)."},
                    "parameter": TEXT,
                    "header": TEXT,
                    "check": {
                        **TEXT,
                        "description": "A failed check of `/readyz`.",
                    },
                    "code": reference("schemas", "ErrorCode"),
                    "detail": TEXT,
                    "params": {
                        "type": "object",
                        "description": "The numbers in `detail`, for a text in another language.",
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
        "description": "The allowance: q requests in w seconds.",
        "example": '"user";q=600;w=60',
    },
    "RateLimit": {
        "schema": TEXT,
        "description": "The rest of the allowance: r requests in the next t seconds.",
        "example": '"user";r=599;t=42',
    },
    "Retry-After": {
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
        "description": "Seconds.",
    },
    "WWW-Authenticate": {"schema": TEXT, "required": True, "example": 'Bearer realm="todos"'},
}
# The other error with status 409, an id that is taken, goes on for good.
OF_A_KEY_IN_FLIGHT = {
    "schema": {"type": "integer", "minimum": 1},
    "description": "Seconds, with the code `idempotency_key_in_flight`.",
}
COUNTED = ("RateLimit-Policy", "RateLimit", "X-Request-Id")
HEADERS_OF_PROBLEMS = {
    401: ["WWW-Authenticate"],
    **{status: ["Retry-After"] for status in (429, 503)},
}


def components(*, current: JSON) -> JSON:
    """Return the shared components. ``current`` is the schema of the row that a 412 brings."""
    codes = [code for errors in problems().values() for code in errors]
    # Only a probe, or a method that a path does not have, gets one of these.
    codes += [own.NotReady.default_code, drf.MethodNotAllowed.default_code]
    return {
        "schemas": {
            "Problem": {**PROBLEM, "properties": {**PROBLEM["properties"], "current": current}},
            "ProblemCode": {**TEXT, "enum": sorted({*codes})},
            "ErrorCode": {**TEXT, "enum": [*ERROR_CODES]},
        },
        "headers": HEADERS,
        "responses": {
            response_name(status): _response(status, errors)
            for status, errors in problems().items()
        },
    }


def problems() -> dict[int, dict[str, JSON]]:
    """An example for every problem of an operation: status -> code -> document."""
    documents = [problem_document(error, request_id=REQUEST_ID) for error in _errors()]
    found: dict[int, dict[str, JSON]] = {}
    for document in sorted(documents, key=itemgetter("status", "code")):
        found.setdefault(document["status"], {})[document["code"]] = document
    return found


def _errors() -> list[APIException]:
    return [
        own.BadRequest(),
        own.InvalidHeader(("Idempotency-Key", "invalid", "…")),
        own.InvalidParameter(("nope", "unknown", "…")),
        drf.ParseError(),
        drf.ValidationError({"title": drf.ErrorDetail("…", "blank")}),
        drf.NotAuthenticated(),
        *(InvalidToken(reason()) for reason in TokenRejected.__subclasses__()),
        drf.PermissionDenied(),
        InsufficientScope({"todos:write"}),
        drf.NotFound(),
        drf.NotAcceptable(),
        own.RequestTimeout(),
        own.IdempotencyKeyInFlight(),
        own.IdTaken(),
        own.ResyncRequired(),
        own.LengthRequired(),
        own.PreconditionFailed(),
        own.ContentTooLarge(),
        drf.UnsupportedMediaType("text/plain"),
        own.IdempotencyKeyReused(),
        own.PreconditionRequired(),
        own.IdempotencyKeysUsedUp(wait_seconds=3600),
        own.TooManyRequests(wait=42),
        own.TooManyRefusals(wait=3600),
        own.InternalError(),
        own.DatabaseUnavailable(),
        own.Overloaded(),
        own.SearchTooBroad(),
        VerificationUnavailable(KeysUnavailable(retry_after_seconds=1)),
    ]


def _response(status: int, examples: dict[str, JSON]) -> JSON:
    names = (*HEADERS_OF_PROBLEMS.get(status, ()), *COUNTED)
    headers = {name: reference("headers", name) for name in names}
    if status == own.IdempotencyKeyInFlight.status_code:
        headers["Retry-After"] = OF_A_KEY_IN_FLIGHT
    return {
        "description": f"{title_of(status)}: {', '.join(f'`{code}`' for code in examples)}.",
        "headers": headers,
        "content": {
            own.PROBLEM_MEDIA_TYPE: {
                "schema": reference("schemas", "Problem"),
                "examples": {code: {"value": examples[code]} for code in examples},
            }
        },
    }


def response_name(status: int) -> str:
    """``404`` -> ``NotFound``."""
    return "".join(filter(str.isalpha, title_of(status).title()))
