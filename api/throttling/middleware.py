from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.errors.exceptions import Overloaded, TooManyRequests
from api.errors.handler import rendered_problem
from api.requests import PROBLEM_CODE, USAGE, Handler
from api.throttling.addresses import client_of
from api.throttling.throttles import Usage, count_refusal, spend
from authn.authentication import bearer_token
from authn.exceptions import KeysUnavailable

# Clients can cause these server errors, by a made-up `kid` or by large bodies.
COUNTED_CODES = (KeysUnavailable.code, Overloaded.default_code)


def rate_limit_fields(get_response: Handler) -> Handler:
    """Add ``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers-10)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        usage: Usage | None = request.META.get(USAGE)
        if usage:
            scope = f'"{usage.scope}"'
            response["RateLimit-Policy"] = f"{scope};q={usage.limit};w={usage.window_seconds}"
            response["RateLimit"] = f"{scope};r={usage.remaining};t={usage.reset_seconds}"
        return response

    return middleware


def address_allowances(get_response: Handler) -> Handler:
    """Bound the requests of an address without a token, and with tokens that are refused.

    A request without a token counts before its answer. A request with a token counts after its
    answer, if the token was refused or never verified.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
            return _counted(request, get_response)
        except TooManyRequests as error:
            return rendered_problem(request, error)

    return middleware


def _counted(request: HttpRequest, get_response: Handler) -> HttpResponseBase:
    if bearer_token(request) is None:
        spend(request, "anon", client_of(request))
        return get_response(request)
    response = get_response(request)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        count_refusal(request)
    elif request.META.get(USAGE) is None and _is_caused_by_client(request, response):
        spend(request, "anon", client_of(request))  # an unverified token identifies no user
    return response


def _is_caused_by_client(request: HttpRequest, response: HttpResponseBase) -> bool:
    return response.status_code < 500 or request.META.get(PROBLEM_CODE) in COUNTED_CODES
