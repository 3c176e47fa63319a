"""Errors of verification: a rejected token, unavailable keys, or a wrong configuration.

Texts are fixed: none contains a part of a token or the message of a library. Codes never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, ClassVar


class AuthnError(Exception):
    """Base class of every error that this package raises."""

    code: ClassVar[str]
    detail: ClassVar[str]

    def __str__(self) -> str:
        return super().__str__() or self.detail


class TokenRejected(AuthnError):
    """The client sent a token that is not accepted: 401.

    ``payload``, ``refused_at`` (seconds since the epoch) and ``policy`` are set if the signature
    was valid and ``policy`` refused a claim. Show ``payload`` to the sender of the token only;
    never log it.
    """

    code = "token_invalid"
    detail = "The token is not valid."
    payload: Mapping[str, Any] | None = None
    refused_at: float = 0
    policy: Any = None  # a ClaimPolicy, whose module imports this one


class TokenMalformed(TokenRejected):
    code = "token_malformed"
    detail = "The token is not a well-formed JWT."


class TokenTooLong(TokenRejected):
    code = "token_too_long"
    detail = "The token is longer than 8 KiB."


class HeaderUnsupported(TokenRejected):
    code = "header_unsupported"
    detail = "The token's header has a crit or b64 parameter, which is not supported."


class TypeUnsupported(TokenRejected):
    code = "type_unsupported"
    detail = "The token's type is not accepted. Send one whose typ is JWT."


class AlgorithmUnsupported(TokenRejected):
    code = "algorithm_unsupported"
    detail = "The token's signature algorithm is not accepted."


class KeyUnknown(TokenRejected):
    code = "key_unknown"
    detail = "The token's signing key is unknown."


class KeyAmbiguous(TokenRejected):
    code = "key_ambiguous"
    detail = "The token has no kid, and several keys fit its algorithm."


class SignatureInvalid(TokenRejected):
    code = "signature_invalid"
    detail = "The token's signature is not valid."


class TokenExpired(TokenRejected):
    code = "token_expired"
    detail = "The token has expired."


class TokenNotYetValid(TokenRejected):
    code = "token_not_yet_valid"
    detail = "The token is not valid yet."


class ClaimMissing(TokenRejected):
    code = "claim_missing"
    detail = "The token lacks a required claim: exp, sub, iss, aud or client_id."


class ClaimInvalid(TokenRejected):
    code = "claim_invalid"
    detail = "A claim of the token has an invalid value."


class TokenBound(TokenRejected):
    code = "token_bound"
    detail = "The token is bound to a key (cnf). Send one that is not bound."


class SubjectInvalid(TokenRejected):
    code = "subject_invalid"
    detail = "The token's subject is not a valid user id."


class UserRefused(SubjectInvalid):
    """The user resolver knows no active user of the token."""

    code = "user_refused"
    detail = "The token's user has no active account here."


class SubjectNotUser(TokenRejected):
    code = "subject_not_user"
    detail = "The token is a client's own and acts for no user."


class IssuerMismatch(TokenRejected):
    code = "issuer_mismatch"
    detail = "The token's issuer is not accepted."


class AudienceMismatch(TokenRejected):
    code = "audience_mismatch"
    detail = "The token's audience is not accepted."


class KeysUnavailable(AuthnError):
    """The keys are unavailable for now: 503 with ``Retry-After``."""

    code = "keys_unavailable"
    detail = "The signing keys are unavailable. Try again later."

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class KeysPending(KeysUnavailable):
    """A fetch may bring the key. ``fetched`` is done when it ends, well or not."""

    def __init__(self, fetched: Future[None], *, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds)
        self.fetched = fetched


class KeySetInvalid(AuthnError):
    """A key or a whole key set cannot be used. The log gets the reason, and no client does."""

    code = "key_set_invalid"
    detail = "The key set is unusable."


class NotConfigured(AuthnError):
    """The settings allow no verification: the server must not start, and a request gets 500."""

    code = "not_configured"
    detail = "Token verification is not configured."
