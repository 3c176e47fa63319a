"""Why a token opens nothing: the caller's fault, the issuer's absence, or our set-up.

Texts are fixed: no token, claim or library text ever becomes part of one. Codes are
released names and never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class AuthnError(Exception):
    """Base of everything that this package raises on purpose."""

    code: ClassVar[str]
    detail: ClassVar[str]

    def __str__(self) -> str:
        return super().__str__() or self.detail


class TokenRejected(AuthnError):
    """The caller's fault: 401.

    ``payload`` is what a token says whose signature is valid and whose claims were not, at the
    time of ``refused_at`` (seconds since the epoch). It is for whoever sent the token, and never
    for a log.
    """

    code = "token_invalid"
    detail = "The token is not valid."
    payload: Mapping[str, Any] | None = None
    refused_at: float = 0


class TokenMalformed(TokenRejected):
    code = "token_malformed"
    detail = "The token is not a well-formed JWT."


class TokenTooLong(TokenRejected):
    code = "token_too_long"
    detail = "The token is longer than 8 KiB."


class HeaderUnsupported(TokenRejected):
    code = "header_unsupported"
    detail = "The token's header asks for something that is not supported."


class TypeUnsupported(TokenRejected):
    code = "type_unsupported"
    detail = "The token is of a type that is not accepted here."


class AlgorithmUnsupported(TokenRejected):
    code = "algorithm_unsupported"
    detail = "The token's signature algorithm is not accepted."


class KeyUnknown(TokenRejected):
    code = "key_unknown"
    detail = "The token's signing key is not known."


class KeyAmbiguous(TokenRejected):
    code = "key_ambiguous"
    detail = "The token names no signing key and several could have signed it."


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
    detail = "The token lacks a required claim."


class ClaimInvalid(TokenRejected):
    code = "claim_invalid"
    detail = "A claim of the token has a value that is not allowed."


class TokenBound(TokenRejected):
    code = "token_bound"
    detail = "The token is bound to a key, and a Bearer header does not prove that key."


class SubjectInvalid(TokenRejected):
    code = "subject_invalid"
    detail = "The token's subject cannot be used as an identity."


class IssuerMismatch(TokenRejected):
    code = "issuer_mismatch"
    detail = "The token was issued by somebody else."


class AudienceMismatch(TokenRejected):
    code = "audience_mismatch"
    detail = "The token is meant for another audience."


class KeysUnavailable(AuthnError):
    """Ours, and passing: 503 with ``Retry-After``."""

    code = "keys_unavailable"
    detail = "The signing keys cannot be had at the moment."

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class KeySetInvalid(AuthnError):
    """A fetch that brought no usable key set, and why; for the log, never for a client."""

    code = "key_set_invalid"
    detail = "The key set cannot be used."


class NotConfigured(AuthnError):
    """Ours, and lasting: the server must not start; a request that gets through is a 500."""

    code = "not_configured"
    detail = "Token verification is not configured."
