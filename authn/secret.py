"""The key that Better Auth's shared secret is."""

from __future__ import annotations

import jwt
from jwt.algorithms import HMACAlgorithm

from authn.jwks import VerificationKey

SECRET_ALGORITHMS = frozenset({"HS256"})
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2


class SecretKey:
    """The one key of HS256: the raw UTF-8 of Better Auth's secret, whatever ``kid`` says."""

    def __init__(self, secret: str) -> None:
        self._key = VerificationKey(raw_bytes(secret), "HS256")

    def key_for(self, *, kid: str | None, algorithm: str) -> VerificationKey:
        return self._key

    def require_any(self) -> None:
        """It is here."""

    def age_seconds(self) -> None:
        """It was not fetched."""


def is_usable_secret(secret: str) -> bool:
    """Long enough for HS256, and nothing that PyJWT would take for a public key and refuse."""
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(raw_bytes(secret))
    except jwt.InvalidKeyError:
        return False
    return len(raw_bytes(secret)) >= MIN_SECRET_BYTES


def raw_bytes(secret: str) -> bytes:
    """As the environment holds them, even where they are not UTF-8 (PEP 383)."""
    return secret.encode(errors="surrogateescape")
