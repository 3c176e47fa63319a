from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.errors.handler import problem_response
from api.middleware import Handler

# The server puts the status of a request whose body is not complete into its environ.
REFUSAL = "gateway.refusal"


def refusals(get_response: Handler) -> Handler:
    """Refuse a request whose body is not complete, before a view reads the body."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        status: HTTPStatus | None = request.META.get(REFUSAL)
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            # Django reads no body without a length. The gateway gives every body one.
            status = HTTPStatus.LENGTH_REQUIRED
        if status is None:
            return get_response(request)
        response = problem_response(request, status)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            response["Retry-After"] = "1"
        return response

    return middleware
