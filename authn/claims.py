"""Check the claims of a token whose signature is valid."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from authn.exceptions import (
    AudienceMismatch,
    ClaimInvalid,
    ClaimMissing,
    IssuerMismatch,
    SubjectInvalid,
    SubjectNotUser,
    TokenBound,
    TokenExpired,
    TokenNotYetValid,
)

MAX_SUBJECT_CHARACTERS = 255
# 9999-12-31T23:59:59Z, the last second of a datetime.
MAX_NUMERIC_DATE = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of a verified token. ``subject`` is the identity; the others are for display.

    ``scopes`` limits what a client may do for the user: a set for an OAuth access token, and
    ``None``, no limit, for a token of the user's own session.

    Requests with the same token share one instance, so ``payload`` is read-only: its objects are
    mapping proxies, its arrays tuples.
    """

    subject: str
    expires_at: datetime
    email: str | None
    name: str | None
    payload: Mapping[str, Any] = field(repr=False)
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPolicy:
    """The issuer and the audiences to accept (RFC 7519 section 4.1).

    A claim must match if it is present, so without ``issuer`` any ``iss`` is refused, and without
    ``audiences`` any ``aud``. A required claim must be present.
    """

    issuer: str | None = None
    audiences: frozenset[str] = frozenset()
    issuer_required: bool = False
    audience_required: bool = False

    def check(self, payload: Mapping[str, Any], *, now: float, leeway_seconds: float) -> Claims:
        """Return the claims of ``payload``. ``now`` is seconds since the epoch.

        Raises the ``TokenRejected`` of the first rule that the payload breaks. ``cnf`` (RFC 7800)
        binds a token to a key, which a Bearer header cannot prove (RFC 9449 section 7).
        """
        check_times(payload, now=now, leeway_seconds=leeway_seconds)
        self._check_issuer(payload)
        self._check_audience(payload)
        if not isinstance(payload.get("jti", ""), str):
            raise ClaimInvalid
        if "cnf" in payload:
            raise TokenBound
        return Claims(
            subject=_subject(payload),
            expires_at=datetime.fromtimestamp(payload["exp"], UTC),
            email=_text(payload, "email"),
            name=_text(payload, "name"),
            payload=_read_only(payload),
            scopes=self._scopes(payload),
        )

    def _scopes(self, payload: Mapping[str, Any]) -> frozenset[str] | None:
        """Ignore ``scope``: only an access token is limited by one."""
        return None

    def _check_issuer(self, payload: Mapping[str, Any]) -> None:
        if "iss" not in payload:
            if self.issuer_required:
                raise ClaimMissing
        elif not isinstance(payload["iss"], str):
            raise ClaimInvalid
        elif payload["iss"] != self.issuer:
            raise IssuerMismatch

    def _check_audience(self, payload: Mapping[str, Any]) -> None:
        if "aud" not in payload:
            if self.audience_required:
                raise ClaimMissing
            return
        audiences = payload["aud"] if isinstance(payload["aud"], list) else [payload["aud"]]
        if not all(isinstance(audience, str) for audience in audiences):
            raise ClaimInvalid
        if self.audiences.isdisjoint(audiences) or not self._tolerates(audiences):
            raise AudienceMismatch

    def _tolerates(self, audiences: Sequence[str]) -> bool:
        """Accept every other audience beside an own one (RFC 7519 section 4.1.3)."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenPolicy(ClaimPolicy):
    """The rules for an OAuth 2.1 access token (RFC 9068), which a client got from a user.

    An audience that is neither own nor tolerated is refused: whoever runs that other resource
    could use the tokens that it receives here.
    """

    tolerated_audiences: frozenset[str] = frozenset()

    def check(self, payload: Mapping[str, Any], *, now: float, leeway_seconds: float) -> Claims:
        """Raises also ``SubjectNotUser``, for a token that a client got for itself."""
        # Before Python 3.14, super() fails in a dataclass with slots.
        claims = ClaimPolicy.check(self, payload, now=now, leeway_seconds=leeway_seconds)
        clients = [payload[name] for name in ("client_id", "azp") if name in payload]
        if not clients:
            raise ClaimMissing
        if not all(isinstance(client, str) for client in clients):
            raise ClaimInvalid
        if claims.subject in clients:
            raise SubjectNotUser
        return claims

    def _scopes(self, payload: Mapping[str, Any]) -> frozenset[str]:
        scope = payload.get("scope", "")
        if not isinstance(scope, str):
            raise ClaimInvalid
        return frozenset(scope.split(" ")) - {""}

    def _tolerates(self, audiences: Sequence[str]) -> bool:
        return (self.audiences | self.tolerated_audiences).issuperset(audiences)


def check_times(payload: Mapping[str, Any], *, now: float, leeway_seconds: float) -> None:
    """Check the claims that depend on the time, for a new token and for a remembered one."""
    expires_at = _numeric_date(payload, "exp")
    if expires_at is None:
        raise ClaimMissing
    if now >= expires_at + leeway_seconds:
        raise TokenExpired
    for name in ("nbf", "iat"):
        not_before = _numeric_date(payload, name)
        if not_before is not None and now < not_before - leeway_seconds:
            raise TokenNotYetValid


def _numeric_date(payload: Mapping[str, Any], name: str) -> float | None:
    if name not in payload:
        return None
    value = payload[name]
    # In Python, True is an int, and json reads 1e999 as infinity.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClaimInvalid
    if abs(value) > MAX_NUMERIC_DATE:
        raise ClaimInvalid
    return value


def _subject(payload: Mapping[str, Any]) -> str:
    if "sub" not in payload:
        raise ClaimMissing
    subject = payload["sub"]
    if not isinstance(subject, str) or len(subject) > MAX_SUBJECT_CHARACTERS:
        raise SubjectInvalid
    categories = {unicodedata.category(character) for character in subject}
    # Cc: control characters, also NUL. Cs: half a surrogate pair, which a database cannot store.
    if categories & {"Cc", "Cs"}:
        raise SubjectInvalid
    # Separators (Z) and format characters (Cf) alone are invisible.
    if all(category[0] in "ZC" for category in categories):
        raise SubjectInvalid
    return subject


def _text(payload: Mapping[str, Any], name: str) -> str | None:
    """Return a claim for display, or ``None`` if UTF-8 cannot encode it as text."""
    value = payload.get(name)
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        return None
    return value


def _read_only(value: Any) -> Any:
    match value:
        case dict():
            return MappingProxyType({name: _read_only(inner) for name, inner in value.items()})
        case list():
            return tuple(_read_only(inner) for inner in value)
    return value
