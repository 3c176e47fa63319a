"""Authentication of pages by the token in a cookie."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from api.throttling.throttles import count_refusal, require_refusals_left
from authn.authentication import InvalidToken, authenticate_token
from authn.claims import Claims
from authn.users import TokenUser
from browsable import cookies
from browsable.pages import MEDIA_TYPE
from browsable.submissions import submission_of


class CsrfRefused(PermissionDenied):
    default_code = "csrf_failed"
    default_detail = (
        "This form is not from a page of this API, or cookies are blocked. Reload the page."
    )


class CookieAuthentication(SessionAuthentication):
    """Subclass of SessionAuthentication that reads the token of ``browsable.cookies``.

    ``JWTAuthentication`` comes first, so a Bearer header overrides the cookie. The cookie
    authenticates safe requests for pages, and forms of pages with their CSRF token. For any other
    request it does not count. Raises ``CsrfRefused`` for a form without its CSRF token.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, Claims] | None:
        http_request = request._request  # noqa: SLF001 - middleware has this one
        token = http_request.COOKIES.get(cookies.NAME)
        is_safe = request.method in SAFE_METHODS
        if (
            not token
            or request.accepted_renderer.media_type != MEDIA_TYPE
            or not (is_safe or submission_of(http_request) is not None)
        ):
            return None
        user_and_claims = authenticate_browser(http_request, token)
        if not is_safe:
            try:
                self.enforce_csrf(http_request)  # type: ignore[arg-type]
            except PermissionDenied:
                raise CsrfRefused from None
        return user_and_claims


def authenticate_browser(request: HttpRequest, token: str) -> tuple[TokenUser, Claims]:
    """Authenticate a token from a browser. A refused one counts for its address.

    Raises what ``authenticate_token`` raises, and ``TooManyRefusals``.
    """
    try:
        return authenticate_token(token, before_work=partial(require_refusals_left, request))
    except InvalidToken:
        count_refusal(request)
        raise
