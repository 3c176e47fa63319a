"""Errors that DRF has no exception for. A code never changes once it is released."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from rest_framework import exceptions
from rest_framework.exceptions import APIException

PROBLEM_MEDIA_TYPE = "application/problem+json"
# Codes whose details have numbers, and the names of these numbers.
NUMBERS = {"max_length": ("max",), "min_length": ("min",), "out_of_range": ("min", "max")}

Mistake = tuple[str, str, str]  # the name of a part of a request, a code, a detail


def error_item(where: dict[str, str], code: str, detail: str) -> dict[str, Any]:
    """Make a member of ``errors``, with the numbers of its detail as ``params``."""
    item: dict[str, Any] = {**where, "code": code, "detail": detail}
    if names := NUMBERS.get(code):
        numbers = map(int, re.findall("[0-9]+", detail))
        item["params"] = dict(zip(names, numbers, strict=True))
    return item


def encodable(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can name and UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()


class BadRequest(APIException):
    status_code = 400
    default_code = "bad_request"
    default_detail = "The request is malformed. Correct it before you send it again."


class InvalidPart(APIException):
    """A mistake outside the body. ``errors`` names the part and the mistake."""

    status_code = 400
    part: str  # the member of an error that has the name

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__()
        self.errors = [
            error_item({self.part: encodable(name)}, code, encodable(detail))
            for name, code, detail in mistakes
        ]


class InvalidParameter(InvalidPart):
    part = "parameter"
    default_code = "invalid_parameter"
    default_detail = "A query parameter is not valid. Correct or remove it."


class InvalidHeader(InvalidPart):
    part = "header"
    default_code = "invalid_header"
    default_detail = "A header field is not valid. Correct or remove it."


class RequestTimeout(APIException):
    status_code = 408
    default_code = "request_timeout"
    default_detail = "The body did not arrive in time. Send the request again."


class IdempotencyKeyInFlight(APIException):
    status_code = 409
    default_code = "idempotency_key_in_flight"
    default_detail = (
        "The first request with this Idempotency-Key has no answer yet. Try again in a second."
    )
    wait = 1


class ResyncRequired(APIException):
    status_code = 410
    default_code = "resync_required"
    default_detail = (
        "The server no longer knows every change since this position. Read all again, with since=0."
    )


class LengthRequired(APIException):
    status_code = 411
    default_code = "length_required"
    default_detail = "This server reads no body without a Content-Length. Send one."


class ErrorOfPart(APIException):
    """An error that ``at`` gives to one part of a body, and that ``errors`` then names."""

    errors: Sequence[dict[str, str]] = ()

    def at(self, pointer: str) -> Self:
        """Return this error as the mistake of one part of a body."""
        detail = str(self.detail)
        self.errors = [{"pointer": pointer, "code": self.default_code, "detail": detail}]
        return self


class IdTaken(ErrorOfPart):
    """Tell a client that it cannot have this id, and never who has it."""

    status_code = 409
    default_code = "id_taken"
    default_detail = "This id is taken. Create the row with a new id."


class PreconditionError(ErrorOfPart):
    """A precondition of a request, or of an operation in a batch."""


class PreconditionFailed(PreconditionError):
    """``current`` is the row as it is now, as its owner sees it."""

    current: Mapping[str, Any] | None = None
    status_code = 412
    default_code = "precondition_failed"
    default_detail = "Your copy is out of date. Read it again, then repeat the change."


class WeakenedTag(PreconditionFailed):
    """An entity tag that a proxy has changed: If-Match compares strongly (RFC 9110, 13.1.1)."""

    default_detail = (
        "A proxy has changed this ETag, perhaps while it compressed the answer. "
        "Send the etag of the body, and let the proxy pass ETag on unchanged."
    )


class ExistsAlready(PreconditionFailed):
    default_detail = "If-None-Match names the current version. Remove the field to make the change."


class ContentTooLarge(APIException):
    status_code = 413
    default_code = "content_too_large"
    default_detail = "The body is too large. Send less at once."


class IdempotencyKeyReused(APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = (
        "This Idempotency-Key was sent before with another method, query or body. Send a new key."
    )


class PreconditionRequired(PreconditionError):
    """The operator requires If-Match (RFC 6585 section 3)."""

    status_code = 428
    default_code = "precondition_required"
    default_detail = "A change must name the version it is for. Send its ETag in If-Match."


class TooManyRequests(exceptions.Throttled):
    wait: int | None  # seconds
    default_detail = "Too many requests."
    extra_detail_singular = "Try again in {wait} second."
    extra_detail_plural = "Try again in {wait} seconds."


class TooManyRefusals(TooManyRequests):
    default_code = "too_many_refusals"
    default_detail = "Too many refused tokens from this address."


class IdempotencyKeysUsedUp(APIException):
    """``wait_seconds``: until the server forgets the oldest answer that it keeps for the user."""

    status_code = 429
    default_code = "idempotency_keys_used_up"
    default_detail = "Too many answers are kept for your keys. Wait, or send no Idempotency-Key."

    def __init__(self, wait_seconds: float) -> None:
        super().__init__()
        self.wait = max(1, math.ceil(wait_seconds))


class InternalError(APIException):
    status_code = 500
    default_code = "internal_error"
    default_detail = "The server has failed, and has logged the error. Try again later."


class DatabaseUnavailable(APIException):
    status_code = 503
    default_code = "database_unavailable"
    default_detail = "The database cannot be reached. Try again in a few seconds."
    wait = 5


class NotReady(APIException):
    """``errors`` has the failed checks."""

    status_code = 503
    default_code = "not_ready"
    default_detail = "This server cannot do its work at the moment. See errors for the reasons."
    wait = 5

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__()
        self.errors = errors


class Overloaded(APIException):
    status_code = 503
    default_code = "overloaded"
    default_detail = "The server has too many large requests at once. Try again in a second."
    wait = 1


class SearchTooBroad(APIException):
    status_code = 503
    default_code = "search_too_broad"
    default_detail = "This takes too long. In a list, search for a longer text or add a filter."
    wait = 5
