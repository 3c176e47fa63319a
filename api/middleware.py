"""What holds for every answer, whoever made it: this project, the framework or Django."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import is_valid_path
from django.utils.cache import patch_cache_control, patch_vary_headers

from api.errors.handler import PROBLEM_MEDIA_TYPE, code_of, problem_response
from api.throttling.addresses import client_of
from api.throttling.throttles import (
    Allowance,
    Usage,
    note_usage,
    refusals_used_up,
    usage_of,
    write_rate_limit_fields,
)
from authn.authentication import bearer_token
from authn.exceptions import KeysUnavailable

Handler = Callable[[HttpRequest], HttpResponseBase]

# Server errors that any client can cause: by a made-up `kid`, or by large bodies.
COUNTED_CODES = (KeysUnavailable.code, "overloaded")


def problem_documents(get_response: Handler) -> Handler:
    """Turn an error that Django answered itself into a problem document (RFC 9457).

    That is an unknown path, a bad Host header, a refused CSRF token, a crash: with DEBUG
    on too, where Django would answer with a page that a client cannot read. The traceback
    is in the log.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code >= 400 and not is_ours(response):
            response = problem_response(request, response.status_code)
        if response.status_code in (204, 304):
            del response["Content-Length"]  # there is no content (RFC 9110 section 8.6)
        if "Vary" in response:
            patch_vary_headers(response, ("Accept", "Authorization"))
        else:
            response["Vary"] = "Accept, Authorization"
        if "Cache-Control" in response:
            patch_cache_control(response, private=True, no_cache=True)
        else:
            response["Cache-Control"] = "private, no-cache"
        return response

    return middleware


def is_ours(response: HttpResponseBase) -> bool:
    """Whether it is a problem document already, or a page for a browser that shows one."""
    is_page = getattr(response, "is_page", False)
    return is_page or response.get("Content-Type", "") == PROBLEM_MEDIA_TYPE


def rate_limit_fields(get_response: Handler) -> Handler:
    """Tell whoever was counted what is left to them, in every answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if usage := usage_of(request):
            write_rate_limit_fields(response, usage)
        return response

    return middleware


def address_allowances(get_response: Handler) -> Handler:
    """Bound what an address may ask without a token, and with tokens that are refused.

    A request without a token is counted before it is answered, one with a token afterwards:
    if it was refused, or if nobody knows whose it is. An address that has used up its refusals
    gets 429 for every token but those that passed before: a signature is the work that this saves.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        token = bearer_token(request)
        if token is None:
            return _without_token(request, get_response)
        return _with_token(request, get_response, token)

    return middleware


def _without_token(request: HttpRequest, get_response: Handler) -> HttpResponseBase:
    usage = Allowance.of("anon").use(client_of(request))
    note_usage(request, usage)
    return _throttled(request, usage) if usage and usage.exceeded else get_response(request)


def _with_token(request: HttpRequest, get_response: Handler, token: str) -> HttpResponseBase:
    client = client_of(request)
    if usage := refusals_used_up(client, token):
        note_usage(request, usage)
        return _throttled(request, usage)
    response = get_response(request)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        note_usage(request, Allowance.of("refused").use(client))
    elif usage_of(request) is None and _counts_for_address(response):
        # The token is as good as none: nobody has asked whose it is, or could tell.
        return _counted_without_token(request, response)
    return response


def _counts_for_address(response: HttpResponseBase) -> bool:
    """Tell what a client asked for, or left unfinished, from a failure that is this server's."""
    is_ours = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    return not is_ours or code_of(response) in COUNTED_CODES


def _counted_without_token(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    usage = Allowance.of("anon").use(client_of(request))
    note_usage(request, usage)
    return _throttled(request, usage) if usage and usage.exceeded else response


def _throttled(request: HttpRequest, usage: Usage) -> HttpResponseBase:
    response = problem_response(request, HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(usage.reset_seconds)
    return response


def optional_slash(get_response: Handler) -> Handler:
    """Serve a path without its trailing slash as if it had one, without a redirect."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with_slash = f"{request.path_info}/"
        if not request.path_info.endswith("/") and is_valid_path(with_slash):
            request.path_info = with_slash
        return get_response(request)

    return middleware
