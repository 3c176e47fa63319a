"""The pages on which a browser gets and gives up the token that it sends."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from api.requests import root_of, state_of
from authn.conf import AuthnConfig, get_verifier
from authn.exceptions import AuthnError
from authn.users import TokenUser
from browsable import cookies
from browsable.authentication import CsrfRefused
from browsable.pages import page, signed_in, wants_page
from browsable.tokens import Refusal, brought_token, may_mint

DEMO_NAME = "demo"


class LoginView(View):
    """Takes a token that somebody pastes or, with DEBUG and a secret, a name to make one for."""

    open_because = "Nobody is signed in yet. It shows nothing, and takes only what is verified."
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            token, claims = brought_token(request)
        except Refusal as refusal:
            return self._form(request, refusal)
        response = HttpResponseRedirect(_destination(request))
        cookies.keep(response, token, until=claims.expires_at)
        return response

    def _form(self, request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
        context = {
            "signed_in": _whoever_is_signed_in(request),
            "refusal": refusal,
            "pasted": request.POST.get("token", ""),
            "name": request.POST.get("name") or DEMO_NAME,
            "can_mint": may_mint(request),
            "next": _next(request),
            "is_kept": settings.DEBUG or root_of(request).startswith("https:"),
            "tried_name": "name" in request.POST,
            "hide_login": True,
            "destination": _destination(request),
            "base_url": AuthnConfig.from_settings().base_url,
        }
        status = refusal.status if refusal else 200
        response = page(request, "browsable/login.html", context, status=status)
        response["Cache-Control"] = "no-store"  # it may have the token that was pasted
        if refusal:
            state_of(request).problem_code = refusal.code
        if refusal and refusal.wait_seconds:
            response["Retry-After"] = str(refusal.wait_seconds)
        return response


class LogoutView(View):
    open_because = "It forgets a token, and asks for a CSRF token to do so."
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect(reverse("rest_framework:login"))
        cookies.forget(response)
        return response


class ForgetView(View):
    """A style sheet that says nothing and, where nobody is signed in, makes a browser forget what
    Back would show.

    The answer that logs out comes too early for that: a browser keeps the page before when it
    has the next one.
    """

    open_because = "It is empty."
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("", "text/css", headers={"Clear-Site-Data": '"cache"'})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's ``CSRF_FAILURE_VIEW``."""
    if not wants_page(request):
        return HttpResponse(status=403)
    context = {
        "title": "403 Forbidden",
        "detail": CsrfRefused.default_detail,
        "hide_login": True,
    }
    response = page(request, "browsable/problem.html", context, status=403)
    state_of(request).problem_code = CsrfRefused.default_code
    return response


def _whoever_is_signed_in(request: HttpRequest) -> dict[str, Any] | None:
    token = cookies.token_in(request)
    if not token:
        return None
    try:
        claims = get_verifier().verify(token)
    except AuthnError:
        return None
    return signed_in(TokenUser.from_claims(claims), claims)


def _next(request: HttpRequest) -> str:
    return request.POST.get("next") or request.GET.get("next", "")


def _destination(request: HttpRequest) -> str:
    """Where somebody was going, if that is on this host."""
    wanted = _next(request)
    is_safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    is_path = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if is_safe and is_path else reverse("root")
