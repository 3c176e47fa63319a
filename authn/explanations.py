"""Why a token opens nothing, in words for whoever holds it or runs this API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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

WHERE_TO_LOOK = {
    "token_malformed": (
        "Send the `token` of GET /api/auth/token. The bearer plugin's session token is no JWT."
    ),
    "token_too_long": (
        "Let Better Auth put less into it (definePayload of the jwt plugin): by default the whole "
        "user is in it, and `image` may be a whole picture."
    ),
    "header_unsupported": "No setting allows `crit` or `b64`.",
    "type_unsupported": (
        "No setting allows this `typ`: session-cache, logout and OAuth access tokens (at+jwt) open "
        "nothing here. Send the `token` of GET /api/auth/token."
    ),
    "algorithm_unsupported": (
        "BETTER_AUTH_ALGORITHMS; BETTER_AUTH_SECRET for HS256, BETTER_AUTH_URL for the others."
    ),
    "key_unknown": "BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL: is this the server that issued it?",
    "key_ambiguous": "No setting: let the issuer write `kid`, or publish one key an algorithm.",
    "signature_invalid": (
        "BETTER_AUTH_SECRET: is it the same as Better Auth's, to the letter? With a key set: an "
        "issuer that gave an old kid to a new key; it is fetched again within ten minutes."
    ),
    "token_expired": "BETTER_AUTH_LEEWAY and this machine's clock, or get a new token.",
    "token_not_yet_valid": "BETTER_AUTH_LEEWAY and the clocks of both machines.",
    "claim_missing": (
        "`exp` and `sub` always; `iss` and `aud` with a key set, or when BETTER_AUTH_ISSUER or "
        "BETTER_AUTH_AUDIENCE is set."
    ),
    "claim_invalid": (
        "No setting: a time that is no number, or an `iss`, `aud` or `jti` that is no text."
    ),
    "token_bound": (
        "No setting: a token with `cnf` (DPoP, mutual TLS) is worth nothing without its key. Ask "
        "the issuer for one that is not bound."
    ),
    "subject_invalid": "No setting: `sub` must be 1 to 255 characters, not blank.",
    "issuer_mismatch": "BETTER_AUTH_ISSUER, or the origin of BETTER_AUTH_URL.",
    "audience_mismatch": "BETTER_AUTH_AUDIENCE, or the origin of BETTER_AUTH_URL.",
    "keys_unavailable": "BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL: does it answer from here?",
    "not_configured": "The README's table of settings; `manage.py check` names every mistake.",
}
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def facts(reason: AuthnError) -> Iterator[str]:
    """What there is to tell beyond ``reason`` itself: times, and what was expected here.

    Has parts of the token, so it is for whoever sent that and nobody else.
    """
    config = AuthnConfig.from_settings()
    payload = reason.payload if isinstance(reason, TokenRejected) else None
    match reason:
        case TokenExpired() | TokenNotYetValid() if payload:
            yield from _times(payload, now=reason.refused_at)
        case IssuerMismatch():
            expected = config.expected_issuer or "none, as no issuer is set"
            yield _difference("issuer", payload, "iss", expected)
        case AudienceMismatch():
            expected = ", ".join(sorted(config.expected_audience))
            yield _difference("audience", payload, "aud", expected or "none, as no audience is set")
        case ClaimMissing() if payload is not None:
            names = ", ".join(sorted(payload)).encode(errors="replace").decode()
            yield f"Its claims are {names or 'none'}."
        case KeysUnavailable():
            yield f"This API asked {config.key_set_url}"


def _times(payload: Mapping[str, Any], *, now: float) -> Iterator[str]:
    # What comes after the claim that was refused has not been looked at.
    times = {
        name: value
        for name, value in payload.items()
        if isinstance(value, int | float) and abs(value) <= MAX_NUMERIC_DATE
    }
    if now > times.get("exp", now):
        yield f"It expired {duration(now - times['exp'])} ago."
    for name, meaning in (("nbf", "It is valid"), ("iat", "It says that it was issued")):
        if now < times.get(name, now):
            yield f"{meaning} {duration(times[name] - now)} from now."


def _difference(noun: str, payload: Mapping[str, Any] | None, claim: str, expected: str) -> str:
    actual = (payload or {}).get(claim)
    values = actual if isinstance(actual, list) else [actual]
    # JSON may name half a surrogate pair; UTF-8 cannot say it back.
    text = ", ".join(map(str, values)).encode(errors="replace").decode()
    return f"Its {noun} is {text}; this API expects {expected}."


def duration(seconds: float) -> str:
    """In its largest unit: ``"3 minutes"``."""
    for unit, length in UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a second"
