"""Every error as a problem document (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from api.errors.exceptions import (
    STATUS_PROBLEMS,
    BadRequest,
    ContentTooLarge,
    DatabaseUnavailable,
    TooManyRequests,
    encodable,
    error_item,
)
from api.responses import Response

logger = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 100  # that are told in one answer
READ_ONLY = "25006"  # what PostgreSQL says to a write on a standby, or while its disk is full
RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}
WHOLE_BODY = api_settings.NON_FIELD_ERRORS_KEY


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The framework's hook: an exception in a view -> its problem document.

    ``None`` for what is nobody's fault but ours: Django logs it and answers 500, which
    ``api.middleware.problem_documents`` puts into the same form.
    """
    error = _as_api_exception(exc)
    if error is None:
        return None
    if isinstance(error, DatabaseUnavailable):
        logger.error("Database unavailable: %s", exc)
        if _is_read_only(exc):
            # It may be a primary no more: the next request connects to what is one now.
            connection.close()
    set_rollback()
    request: Request = context["request"]
    members = _members(error)
    response = Response(
        problem(request, error.status_code, **members),
        status=error.status_code,
        headers=_headers(error),
        content_type=PROBLEM_MEDIA_TYPE,
    )
    note_code(response, members["code"])
    return response


def problem_response(request: HttpRequest, status_code: int) -> HttpResponse:
    """The problem document for an error that only its status code is known of."""
    code, detail = _of_status(status_code)
    body = json.dumps(problem(request, status_code, code=code, detail=detail))
    return HttpResponse(
        body,
        status=status_code,
        content_type=PROBLEM_MEDIA_TYPE,
        headers={"Content-Length": str(len(body))},  # nothing further out counts it
    )


def note_code(response: HttpResponseBase, code: str) -> None:
    """Why it is a failure, where that is more than its status code tells."""
    response.problem_code = code  # type: ignore[attr-defined]


def code_of(response: HttpResponseBase) -> str | None:
    """Why it is a failure, or ``None`` where it is none: of a page, too, which does not show it."""
    if response.status_code < HTTPStatus.BAD_REQUEST:
        return None
    return getattr(response, "problem_code", "") or _of_status(response.status_code)[0]


def _of_status(status_code: int) -> tuple[str, str]:
    fallback = 400 if status_code < 500 else 500
    return STATUS_PROBLEMS.get(status_code, STATUS_PROBLEMS[fallback])


def problem(request: HttpRequest | Request, status_code: int, **members: Any) -> dict[str, Any]:
    """The members of a problem document. ``type`` stays ``about:blank``: ``code`` tells more."""
    return {
        "type": "about:blank",
        "title": title_of(status_code),
        "status": status_code,
        **members,
        "instance": f"urn:uuid:{request.id}",  # type: ignore[union-attr]
    }


def title_of(status_code: int) -> str:
    """The phrase of RFC 9110, whatever Python has: before 3.13 it has older ones."""
    return RENAMED.get(status_code) or HTTPStatus(status_code).phrase


def _as_api_exception(exc: Exception) -> exceptions.APIException | None:
    match exc:
        case exceptions.Throttled():
            return TooManyRequests(getattr(exc, "wait", None))
        case exceptions.APIException():
            return exc
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig():
            return ContentTooLarge()
        case SuspiciousOperation():
            return BadRequest()
        case OperationalError() | InterfaceError():
            return DatabaseUnavailable()
        case InternalError() if _is_read_only(exc):
            return DatabaseUnavailable()
    return None


def _is_read_only(exc: Exception) -> bool:
    return getattr(exc.__cause__, "sqlstate", "") == READ_ONLY


def _members(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        errors = list(islice(_flatten(error.get_full_details()), MAX_ERRORS))
        return {"detail": "The body is not valid.", "code": "validation_failed", "errors": errors}
    members: dict[str, Any] = {"detail": str(error.detail), "code": error.get_codes()}
    if named := getattr(error, "errors", None):
        members["errors"] = named
    return members


def _flatten(details: Any, pointer: str = "") -> Iterator[dict[str, Any]]:
    """The framework's nested errors as a list, each with its JSON pointer (RFC 6901)."""
    if isinstance(details, list):
        # A list holds the errors of one value, or one dictionary of errors for each item.
        for index, item in enumerate(details):
            yield from _flatten(item, pointer if "message" in item else f"{pointer}/{index}")
    elif "message" in details and isinstance(details["message"], str):
        detail = encodable(str(details["message"]))
        yield error_item({"pointer": pointer}, str(details["code"]), detail)
    else:
        for name, item in details.items():
            yield from _flatten(
                item, pointer if name == WHOLE_BODY else f"{pointer}/{_escape(name)}"
            )


def _escape(name: object) -> str:
    return encodable(str(name)).replace("~", "~0").replace("/", "~1")


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = ", ".join(
            filter(None, [challenge, getattr(error, "challenge", None)])
        )
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers
