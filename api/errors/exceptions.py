"""Errors that the framework has no exception for."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Self

from rest_framework import status
from rest_framework.exceptions import APIException

# Code and detail of the errors that have no exception of their own to say them.
STATUS_PROBLEMS = {
    400: ("bad_request", "The request is not acceptable."),
    403: ("permission_denied", "You may not do this."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This method is not allowed here."),
    408: ("request_timeout", "The body took too long to arrive."),
    411: ("length_required", "Send the body with its Content-Length, or to another server."),
    413: ("content_too_large", "The body is too large."),
    429: ("throttled", "Too many requests. Retry-After says in how many seconds to ask again."),
    500: ("internal_error", "Something went wrong here. It has been logged."),
    503: ("overloaded", "There are too many large requests at once."),
}


Mistake = tuple[str, str, str]  # the name of a part of a request, a code, a detail


# The codes whose details have numbers, and what each of them is.
NUMBERS = {"max_length": ("max",), "min_length": ("min",), "out_of_range": ("min", "max")}


def error_item(where: dict[str, str], code: str, detail: str) -> dict[str, Any]:
    """One of the ``errors`` of a problem, with the numbers of its detail as ``params``."""
    item: dict[str, Any] = {**where, "code": code, "detail": detail}
    if names := NUMBERS.get(code):
        numbers = map(int, re.findall("[0-9]+", detail))
        item["params"] = dict(zip(names, numbers, strict=True))
    return item


class InvalidPart(APIException):
    """400: a part of the request other than its body. ``errors`` has its name and what is wrong."""

    status_code = status.HTTP_400_BAD_REQUEST
    part: str  # the member of an error that has the name

    def __init__(self, name: str, code: str, detail: str) -> None:
        super().__init__()
        self.errors = [error_item({self.part: encodable(name)}, code, encodable(detail))]

    @classmethod
    def several(cls, mistakes: Sequence[Mistake]) -> Self:
        """One error for all ``mistakes``, of which there is at least one."""
        first, *others = [cls(*mistake) for mistake in mistakes]
        for other in others:
            first.errors += other.errors
        return first


class InvalidParameter(InvalidPart):
    """A query parameter that is unknown, or whose value is not allowed."""

    part = "parameter"
    default_detail = "A query parameter is not acceptable."
    default_code = "invalid_parameter"


class InvalidHeader(InvalidPart):
    """A header field whose value is not allowed."""

    part = "header"
    default_detail = "A header field is not acceptable."
    default_code = "invalid_header"


class BadRequest(APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_code, default_detail = STATUS_PROBLEMS[400]


class ContentTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code, default_detail = STATUS_PROBLEMS[413]


class TooManyRequests(APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code, default_detail = STATUS_PROBLEMS[429]

    def __init__(self, wait: float | None) -> None:
        super().__init__()
        self.wait = wait


class IdempotencyKeyReused(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was sent with another method or body before."


class IdempotencyKeysUsedUp(APIException):
    """``wait``: seconds until the oldest answer that is kept for the user has been kept enough."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "idempotency_keys_used_up"
    default_detail = "Too many answers are kept for your keys. Wait, or send no Idempotency-Key."

    def __init__(self, wait_seconds: float) -> None:
        super().__init__()
        self.wait = max(1, math.ceil(wait_seconds))


class IdempotencyKeyInFlight(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_key_in_flight"
    default_detail = "The request with this Idempotency-Key has not been answered yet."
    wait = 1


class DatabaseUnavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "database_unavailable"
    default_detail = "The database cannot be reached at the moment."
    wait = 5


class SearchTooBroad(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "search_too_broad"
    default_detail = "This search takes too long. Narrow it: search for more, or add a filter."
    wait = 5


class NotReady(APIException):
    """503. ``errors`` says what is missing."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code, default_detail = "not_ready", "This server cannot do its work at the moment."
    wait = 5

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__()
        self.errors = errors


def encodable(text: str) -> str:
    """JSON may name half a surrogate pair; UTF-8 cannot say it back."""
    return text.encode(errors="replace").decode()
