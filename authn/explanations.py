"""Explain refused tokens, in the words of ``manage.py inspect_token`` and the login page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from authn import strict_json
from authn.claims import MAX_NUMERIC_DATE
from authn.conf import AuthnConfig
from authn.exceptions import (
    AudienceMismatch,
    AuthnError,
    ClaimMissing,
    IssuerMismatch,
    KeysUnavailable,
    TokenExpired,
    TokenNotYetValid,
    TokenRejected,
)

ADVICE = {
    "token_malformed": (
        "Send the `token` of GET /api/auth/token. The session token of Better Auth is not a JWT."
    ),
    "token_too_long": (
        "Put less into the token with `definePayload` of the jwt plugin. By default it holds the "
        "whole user, and `image` may hold a picture."
    ),
    "header_unsupported": "No setting allows `crit` or `b64`: change the issuer.",
    "type_unsupported": (
        "Send the `token` of GET /api/auth/token. An OAuth access token (at+jwt) needs "
        "OAUTH_RESOURCE; a session cache or a logout token never passes."
    ),
    "algorithm_unsupported": (
        "Check BETTER_AUTH_ALGORITHMS. HS256 needs BETTER_AUTH_SECRET, the other algorithms need "
        "BETTER_AUTH_URL."
    ),
    "key_unknown": (
        "Check that BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL names the server that issued the token."
    ),
    "key_ambiguous": "Let the issuer write `kid`, or publish one key for each algorithm.",
    "signature_invalid": (
        "Check that BETTER_AUTH_SECRET is exactly the secret of Better Auth. A key set is fetched "
        "again within ten minutes if the issuer has reused a kid for a new key."
    ),
    "token_expired": "Get a new token, or check BETTER_AUTH_LEEWAY and the clock of this machine.",
    "token_not_yet_valid": "Check BETTER_AUTH_LEEWAY and the clocks of both machines.",
    "claim_missing": (
        "Tokens need `exp` and `sub`. They also need `iss` and `aud` with a key set, or if "
        "BETTER_AUTH_ISSUER or BETTER_AUTH_AUDIENCE is set. OAuth access tokens also need "
        "`client_id` or `azp`."
    ),
    "claim_invalid": (
        "Let the issuer write times as numbers, and `iss`, `aud`, `jti`, `scope`, `client_id`, "
        "`azp` as strings."
    ),
    "token_bound": (
        "Ask the issuer for a token without `cnf`. With it (DPoP, mutual TLS), a token proves "
        "nothing without its key."
    ),
    "subject_not_user": (
        "Let the client get a token for a user (authorization code), not for itself (client "
        "credentials)."
    ),
    "subject_invalid": "Let the issuer write a `sub` of 1 to 255 characters that is not blank.",
    "issuer_mismatch": (
        "Check BETTER_AUTH_ISSUER, or the origin of BETTER_AUTH_URL. The issuer of OAuth access "
        "tokens (at+jwt) has the path of BETTER_AUTH_URL too."
    ),
    "audience_mismatch": (
        "Check BETTER_AUTH_AUDIENCE, or the origin of BETTER_AUTH_URL. OAuth access tokens "
        "(at+jwt) are for OAUTH_RESOURCE alone: let the client ask for them with that resource."
    ),
    "keys_unavailable": (
        "Check that BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL answers from this machine."
    ),
    "not_configured": "Run `manage.py check`, which lists every mistake in the settings.",
}
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
# Some editors and shells start a file with a byte order mark.
AROUND_A_TOKEN = re.compile(
    r"^[\s\"'\ufeff]*(authorization:)?\s*(bearer(\s|$))?|[\"']", re.IGNORECASE
)


def pasted_token(text: str) -> str:
    """Extract the token from ``text``: alone, in a header field, or in Better Auth's JSON."""
    if (bare := text.lstrip("\ufeff \t\r\n")).startswith("{"):
        try:
            text = str(strict_json.parse_object(bare.encode())["token"])
        except (ValueError, KeyError):
            return text
    return "".join(AROUND_A_TOKEN.sub("", text).split())


def facts(reason: AuthnError) -> Iterator[str]:
    """Yield the times and values that led to ``reason``, and the values that this API expects.

    Show them to the sender of the token only: they quote its claims.
    """
    payload = reason.payload if isinstance(reason, TokenRejected) else None
    policy = reason.policy if isinstance(reason, TokenRejected) else None
    match reason:
        case TokenExpired() | TokenNotYetValid() if payload:
            yield from _times(payload, now=reason.refused_at)
        case IssuerMismatch():
            expected = (policy and policy.issuer) or "none, as no issuer is set"
            yield _difference("issuer", payload, "iss", expected)
        case AudienceMismatch():
            expected = ", ".join(sorted(policy.audiences)) if policy else ""
            yield _difference("audience", payload, "aud", expected or "none, as no audience is set")
        case ClaimMissing() if payload is not None:
            yield f"Its claims are {_printable(sorted(payload)) or 'none'}."
        case KeysUnavailable():
            yield f"This API asked {AuthnConfig().key_set_url}"


def _times(payload: Mapping[str, Any], *, now: float) -> Iterator[str]:
    # Verification stops at the first wrong claim, so the others may have any type.
    times = {
        name: value
        for name, value in payload.items()
        if isinstance(value, int | float) and abs(value) <= MAX_NUMERIC_DATE
    }
    if now > times.get("exp", now):
        yield f"It expired {duration(now - times['exp'])} ago."
    for name, meaning in (("nbf", "It becomes valid"), ("iat", "Its issue time is")):
        if now < times.get(name, now):
            yield f"{meaning} {duration(times[name] - now)} from now."


def _difference(noun: str, payload: Mapping[str, Any] | None, claim: str, expected: str) -> str:
    actual = (payload or {}).get(claim)
    values = actual if isinstance(actual, list) else [actual]
    return f"Its {noun} is {_printable(values)}; this API expects {expected}."


def _printable(values: list[Any]) -> str:
    """Join ``values``. JSON may escape half a surrogate pair, which UTF-8 cannot encode."""
    return ", ".join(map(str, values)).encode(errors="replace").decode()


def duration(seconds: float) -> str:
    """Format ``seconds`` in the largest unit: ``"3 minutes"``."""
    for unit, length in UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a second"
