"""The token that somebody brings to sign in with, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from api.errors.exceptions import BadRequest, TooManyRequests
from authn.authentication import InvalidToken, VerificationUnavailable
from authn.claims import Claims
from authn.exceptions import TokenRejected
from authn.explanations import ADVICE, facts, pasted_token
from authn.minting import can_mint, mint
from browsable.authentication import authenticate_browser
from browsable.cookies import fits

DEMO_SECONDS = 12 * 3600
# Proxies add these (RFC 7239, RFC 9110 section 7.6.3, and before there was an RFC).
FORWARDED = re.compile("HTTP_(X_)?(FORWARDED|REAL_IP|CLIENT_IP|ORIGINAL)|HTTP_VIA$")


@dataclass(eq=False)
class Refusal(Exception):
    """Why nobody is signed in, for whoever tried, in words; ``code`` is for the log."""

    status: int
    title: str
    facts: list[str] = field(default_factory=list)
    advice: str = ""
    wait_seconds: int = 0
    code: str = BadRequest.default_code


def may_mint(request: HttpRequest) -> bool:
    """Allow signing in by name in development, with a secret, from this machine alone.

    A Host header says what its sender likes. The peer of the connection does not, unless it is a
    proxy, and a proxy says for whom it asks.
    """
    return settings.DEBUG and can_mint() and _is_from_this_machine(request)


def _is_from_this_machine(request: HttpRequest) -> bool:
    try:
        peer = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return peer.is_loopback and not any(map(FORWARDED.match, request.META))


def brought_token(request: HttpRequest) -> tuple[str, Claims]:
    """The token that a form brings or asks for. Raises ``Refusal``."""
    if "name" in request.POST and may_mint(request):
        token = _minted(request.POST["name"].strip())
    else:
        token = pasted_token(request.POST.get("token", ""))
    if not token:
        raise Refusal(400, "Paste a token first.")
    claims = _verified(request, token)
    if claims.expires_at <= timezone.now():
        raise Refusal(400, "The token has expired just now.")  # the leeway is of no use here
    if not fits(token):
        raise Refusal(
            400,
            f"This token has {len(token)} characters, which is more than a browser keeps.",
            advice="Send it in the Authorization header, or let Better Auth put less into it "
            "(definePayload).",
        )
    return token, claims


def _verified(request: HttpRequest, token: str) -> Claims:
    try:
        return authenticate_browser(request, token)[1]
    except InvalidToken as error:
        reason = error.reason
        advice = ADVICE[reason.code]
        raise Refusal(400, str(reason), [*facts(reason)], advice, code=reason.code) from None
    except VerificationUnavailable as error:
        # Whose keys were asked for is for whoever runs this.
        outage = error.reason
        told, advice = [*facts(outage)], ADVICE[outage.code]
        if not settings.DEBUG:
            told, advice = [], ""
        raise Refusal(503, str(outage), told, advice, error.wait, outage.code) from None
    except TooManyRequests as error:
        raise Refusal(
            429,
            "Too many tokens were refused.",
            wait_seconds=error.wait or 1,
            code=error.default_code,
        ) from None


def _minted(name: str) -> str:
    try:
        return mint(name, lifetime_seconds=DEMO_SECONDS)
    except TokenRejected:
        raise Refusal(400, "This name cannot be an identity: 1 to 255 characters.") from None
