"""Problem documents for the errors that no view of DRF answers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.exceptions import APIException, MethodNotAllowed, NotFound, PermissionDenied

from api.errors.exceptions import (
    PROBLEM_MEDIA_TYPE,
    BadRequest,
    ContentTooLarge,
    InternalError,
    LengthRequired,
)
from api.errors.handler import rendered_problem
from api.requests import IS_PAGE, Handler

ANSWERED_BY_DJANGO: dict[int, type[APIException]] = {
    error.status_code: error for error in (BadRequest, PermissionDenied, NotFound, ContentTooLarge)
}
# The key in the environ of the error that the server refuses an incomplete request with.
REFUSAL = "todos.refusal"


def problem_documents(get_response: Handler) -> Handler:
    """Replace every error of Django, such as an unknown path or a crash, by a problem document.

    The log has the traceback of a crash, also with ``DEBUG``. ``Vary`` and ``Cache-Control`` of
    every answer tell caches that it is private.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code >= 400 and not _is_ours(request, response):
            response = _problem_of(request, response)
        if response.status_code in (204, 304):
            del response["Content-Length"]  # RFC 9110 section 8.6
        patch_vary_headers(response, ("Accept", "Authorization"))
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return middleware


def refusals(get_response: Handler) -> Handler:
    """Answer a request whose body has not arrived as a whole, before anything reads the body."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        error: APIException | None = request.META.get(REFUSAL)
        # Django reads no body without a length. The server of `make serve` gives every body one.
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            error = LengthRequired()
        return rendered_problem(request, error) if error else get_response(request)

    return middleware


def _is_ours(request: HttpRequest, response: HttpResponseBase) -> bool:
    is_problem = response.get("Content-Type", "") == PROBLEM_MEDIA_TYPE
    return is_problem or IS_PAGE in request.META


def _problem_of(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    problem = rendered_problem(request, _error_of(request, response.status_code))
    if "Allow" in response:
        problem["Allow"] = response["Allow"]
    return problem


def _error_of(request: HttpRequest, status_code: int) -> APIException:
    if status_code == MethodNotAllowed.status_code:
        return MethodNotAllowed(str(request.method))
    unexpected = BadRequest if status_code < 500 else InternalError
    error = ANSWERED_BY_DJANGO.get(status_code, unexpected)()
    error.status_code = status_code
    return error
