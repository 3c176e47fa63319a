"""Logging in with a token, and logging out."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from rest_framework.exceptions import APIException

from api.errors.exceptions import BadRequest
from api.requests import PROBLEM_CODE, root_of
from authn.claims import Claims
from authn.conf import AuthnConfig
from authn.exceptions import KeysUnavailable, TokenRejected
from authn.explanations import ADVICE, facts, pasted_token
from authn.minting import can_mint, mint
from browsable import cookies
from browsable.authentication import CsrfRefused, authenticate_browser
from browsable.pages import page, wants_page

DEMO_SECONDS = 12 * 3600
# Headers that proxies add (RFC 7239, RFC 9110 section 7.6.3, and their forerunners).
FORWARDED = re.compile("HTTP_(X_)?(FORWARDED|REAL_IP|CLIENT_IP|ORIGINAL)|HTTP_VIA$")


class CookieTooLong(BadRequest):
    default_detail = "The token has {} characters, more than a browser keeps in a cookie."
    advice = (
        "Send it in the Authorization header, or make Better Auth put less into it (definePayload)."
    )


class LoginView(View):
    """Take a pasted token or, with DEBUG and a secret, a name to sign a token for."""

    open_because = "Users log in here. The page shows nothing, and accepts verified tokens only."
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return _login_page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            token, claims = _received_token(request)
        except APIException as refusal:
            return _login_page(request, refusal)
        response = HttpResponseRedirect(_destination(request))
        cookies.keep(response, token, until=claims.expires_at)
        return response


class LogoutView(View):
    open_because = "It only removes a cookie, and requires a CSRF token."
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect(reverse("rest_framework:login"))
        cookies.forget(response)
        return response


class ForgetView(View):
    """An empty style sheet whose header makes the browser forget the pages that Back would show.

    The login page links to it after a logout. The response to the logout itself comes too early:
    the browser stores the page before it when the next page has arrived.
    """

    open_because = "It is empty."
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("", "text/css", headers={"Clear-Site-Data": '"cache"'})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Respond to a form that Django's CSRF check refuses (``CSRF_FAILURE_VIEW``)."""
    if not wants_page(request):
        return HttpResponse(status=403)
    context = {"title": "403 Forbidden", "detail": CsrfRefused.default_detail, "hide_login": True}
    response = page(request, "browsable/problem.html", context, status=403)
    request.META[PROBLEM_CODE] = CsrfRefused.default_code
    return response


def may_mint(request: HttpRequest) -> bool:
    """Allow login by name in development, with a secret, from this machine.

    The peer address decides, since the sender chooses the Host header. A proxy on this machine is
    a local peer, so any header of a proxy excludes login by name.
    """
    return settings.DEBUG and can_mint() and _is_from_this_machine(request)


def _is_from_this_machine(request: HttpRequest) -> bool:
    try:
        peer = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return peer.is_loopback and not any(map(FORWARDED.match, request.META))


def _login_page(request: HttpRequest, refusal: APIException | None = None) -> HttpResponse:
    context = {
        **_user_of_cookie(request),
        "refusal": refusal,
        **_explanation(refusal),
        "can_mint": may_mint(request),
        "next": _next(request),
        "is_kept": settings.DEBUG or root_of(request).startswith("https:"),
        "hide_login": True,
        "destination": _destination(request),
        "base_url": AuthnConfig().base_url,
    }
    response = page(request, "browsable/login.html", context)
    response["Cache-Control"] = "no-store"  # the page may contain the pasted token
    if refusal:
        # 401 would ask for an Authorization header.
        response.status_code = 400 if refusal.status_code == 401 else refusal.status_code
        request.META[PROBLEM_CODE] = refusal.get_codes()
        if wait := getattr(refusal, "wait", None):
            response["Retry-After"] = str(wait)
    return response


def _explanation(refusal: APIException | None) -> dict[str, Any]:
    """The facts and the advice about a token. Only developers see the address of the key set."""
    reason = getattr(refusal, "reason", None)
    if reason is None or (isinstance(reason, KeysUnavailable) and not settings.DEBUG):
        return {"advice": getattr(refusal, "advice", "")}
    return {"facts": [*facts(reason)], "advice": ADVICE[reason.code]}


def _user_of_cookie(request: HttpRequest) -> dict[str, Any]:
    try:
        user, claims = authenticate_browser(request, request.COOKIES[cookies.NAME])
    except (KeyError, APIException):
        return {}
    return {"user": user, "claims": claims}


def _received_token(request: HttpRequest) -> tuple[str, Claims]:
    """The token that was pasted, or one for the name. Raises an ``APIException``."""
    if "name" in request.POST and may_mint(request):
        token = _minted(request.POST["name"].strip())
    else:
        token = pasted_token(request.POST.get("token", ""))
    if not token:
        raise BadRequest("Paste a token first.")
    claims = authenticate_browser(request, token)[1]
    if claims.expires_at <= timezone.now():  # accepted within the leeway only
        raise BadRequest("The token has expired just now.")
    if not cookies.fits(token):
        raise CookieTooLong(CookieTooLong.default_detail.format(len(token)))
    return token, claims


def _minted(name: str) -> str:
    try:
        return mint(name, lifetime_seconds=DEMO_SECONDS)
    except TokenRejected:
        raise BadRequest("A user id has 1 to 255 characters and no control characters.") from None


def _next(request: HttpRequest) -> str:
    return request.POST.get("next") or request.GET.get("next", "")


def _destination(request: HttpRequest) -> str:
    """The path in ``next``; the root of the API where that is no path of this host."""
    wanted = _next(request)
    is_safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    is_path = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if is_safe and is_path else reverse("root")
