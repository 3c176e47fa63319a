"""The problem document (RFC 9457) of every error, whether DRF or a middleware answers it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from api.errors.exceptions import (
    PROBLEM_MEDIA_TYPE,
    BadRequest,
    ContentTooLarge,
    DatabaseUnavailable,
    encodable,
    error_item,
)
from api.requests import PROBLEM_CODE, REQUEST_ID

logger = logging.getLogger(__name__)

MAX_ERRORS = 100  # in one answer
READ_ONLY = "25006"  # PostgreSQL refuses a write on a standby, or while its disk is full
RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}  # before Python 3.13
WHOLE_BODY = api_settings.NON_FIELD_ERRORS_KEY


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: answer an exception of a view with its problem document.

    Return ``None`` for a bug. Django logs its traceback and answers 500, from which
    ``api.errors.middleware`` makes a problem document.
    """
    error = _as_api_exception(exc)
    if error is None:
        return None
    if isinstance(error, DatabaseUnavailable):
        logger.error("Database unavailable: %s", exc)
        if _is_read_only(exc):
            # This server may be a standby by now. The next request connects to the primary.
            connection.close()
    set_rollback()
    return problem_response(context["request"], error)


def problem_response(request: HttpRequest | Request, error: APIException) -> Response:
    """The answer to an error, for DRF to render. Notes its code for the log and the metrics."""
    document = problem_document(error, request_id=request.META[REQUEST_ID])
    request.META[PROBLEM_CODE] = document["code"]
    return Response(
        document,
        status=error.status_code,
        headers=_headers(error),
        content_type=PROBLEM_MEDIA_TYPE,
    )


def rendered_problem(request: HttpRequest, error: APIException) -> HttpResponse:
    """Do the same outside a view, where DRF renders nothing."""
    problem = problem_response(request, error)
    body = JSONRenderer().render(problem.data)
    headers = {"Content-Type": PROBLEM_MEDIA_TYPE, "Content-Length": str(len(body))}
    return HttpResponse(body, status=problem.status_code, headers={**problem.headers, **headers})


def problem_document(error: APIException, *, request_id: str) -> dict[str, Any]:
    """The members of RFC 9457 section 3.1, with ``code`` and ``errors``.

    ``type`` stays ``about:blank``, because ``code`` tells more.
    """
    return {
        "type": "about:blank",
        "title": title_of(error.status_code),
        "status": error.status_code,
        **_members(error),
        "instance": f"urn:uuid:{request_id}",
    }


def title_of(status_code: int) -> str:
    """The phrase of RFC 9110, in any version of Python."""
    return RENAMED.get(status_code) or HTTPStatus(status_code).phrase


def _as_api_exception(exc: Exception) -> APIException | None:
    match exc:
        case APIException():
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


def _members(error: APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        detail, code = "The body is not valid.", "validation_failed"
        return {"detail": detail, "code": code, "errors": errors_of(error)}
    members: dict[str, Any] = {"detail": str(error.detail), "code": error.get_codes()}
    if named := getattr(error, "errors", None):
        members["errors"] = named
    if current := getattr(error, "current", None):
        members["current"] = current
    return members


def errors_of(error: exceptions.ValidationError) -> list[dict[str, Any]]:
    """Return the member ``errors`` of the problem document of an invalid body."""
    return [*islice(_flatten(error.get_full_details()), MAX_ERRORS)]


def _flatten(details: Any, pointer: str = "") -> Iterator[dict[str, Any]]:
    """DRF's nested errors as a list, each with its JSON pointer (RFC 6901)."""
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


def _headers(error: APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    # `challenge` leaves out the code, which the document has.
    if challenge := getattr(error, "challenge", None) or getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers
