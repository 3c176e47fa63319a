"""What the payload of a token whose signature is valid must say before it opens anything."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
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
    TokenBound,
    TokenExpired,
    TokenNotYetValid,
)

MAX_SUBJECT_CHARACTERS = 255
# 9999-12-31T23:59:59Z, the last second that a datetime can show.
MAX_NUMERIC_DATE = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a verified token. ``subject`` alone is identity; the rest is for display.

    Requests with the same token share it, so that nothing in it can be changed: the objects of
    ``payload`` are read-only mappings, its arrays tuples.
    """

    subject: str
    expires_at: datetime
    email: str | None
    name: str | None
    payload: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPolicy:
    """Who must have issued a token, and for whom (RFC 7519 section 4.1).

    A claim that is present must match; one that is required must also be present. With no
    ``issuer`` or no ``audiences`` there is nothing that a present claim could match, so a
    token that carries it is refused.
    """

    issuer: str | None = None
    audiences: frozenset[str] = frozenset()
    issuer_required: bool = False
    audience_required: bool = False

    def check(self, payload: Mapping[str, Any], *, now: float, leeway_seconds: float) -> Claims:
        """The claims of ``payload``; ``now`` is seconds since the epoch.

        Raises a ``TokenRejected`` that names the first rule the payload breaks. A token with
        ``cnf`` (RFC 7800) is for whoever proves a key, as DPoP does (RFC 9449 section 7).
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
        )

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
        if self.audiences.isdisjoint(audiences):
            raise AudienceMismatch


def check_times(payload: Mapping[str, Any], *, now: float, leeway_seconds: float) -> None:
    """The part of the policy that the same token can pass now and fail later."""
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
    # A boolean is an int to Python, and 1e999 an infinite float to its JSON reader.
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
    # Cc: control characters, NUL among them. Cs: half of a surrogate pair, which no
    # database can store as text.
    if categories & {"Cc", "Cs"}:
        raise SubjectInvalid
    # Separators and format characters alone show nothing.
    if all(category[0] in "ZC" for category in categories):
        raise SubjectInvalid
    return subject


def _text(payload: Mapping[str, Any], name: str) -> str | None:
    """A display claim: whatever is not a string that can be shown counts as absent."""
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
