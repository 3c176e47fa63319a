"""The cookie of a browser -> its user, by the same verifier and for pages only."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from api.throttling.throttles import count_refusal, require_refusals_left
from authn.authentication import InvalidToken, authenticate_token
from authn.claims import Claims
from authn.users import TokenUser
from browsable.cookies import token_in
from browsable.pages import MEDIA_TYPE
from browsable.submissions import submission_in


class CsrfRefused(PermissionDenied):
    default_code = "csrf_failed"
    default_detail = "This form is not from a page of this API, or cookies are blocked. Reload it."


class CookieAuthentication(BaseAuthentication):
    """Stands behind ``JWTAuthentication``, so that a Bearer header is what counts.

    The cookie says who is asking for a page, and who has sent a page's own form: a change by
    any other request is nobody's. Raises ``CsrfRefused`` for a form from elsewhere.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, Claims] | None:
        http_request: HttpRequest = request._request  # noqa: SLF001 - the one that middleware has
        token = token_in(http_request)
        if not token or request.accepted_renderer.media_type != MEDIA_TYPE:
            return None
        if request.method in SAFE_METHODS:
            return authenticate_browser(http_request, token)
        if submission_in(http_request) is None:
            return None
        user_and_claims = authenticate_browser(http_request, token)
        _require_csrf_token(http_request)
        return user_and_claims


def authenticate_browser(request: HttpRequest, token: str) -> tuple[TokenUser, Claims]:
    """Whose token a browser has brought, which counts among the refused ones of its address.

    Raises what ``authenticate_token`` raises, and ``TooManyRequests``.
    """
    require_refusals_left(request, token)
    try:
        return authenticate_token(token)
    except InvalidToken:
        count_refusal(request)
        raise


def _require_csrf_token(request: HttpRequest) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise NotImplementedError  # it is asked for what it says of itself alone

    check = CSRFCheck(view)
    check.process_request(request)
    if check.process_view(request, view, (), {}):
        raise CsrfRefused
