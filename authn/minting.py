"""Tokens to try the API with, where the secret that signs them is here too."""

from __future__ import annotations

import time

import jwt

from authn.conf import AuthnConfig, get_verifier
from authn.secret import raw_bytes


def can_mint() -> bool:
    """A key set only verifies."""
    return bool(AuthnConfig.from_settings().secret_algorithms)


def mint(
    subject: str, *, lifetime_seconds: int, email: str | None = None, name: str | None = None
) -> str:
    """A token for ``subject`` that this API accepts, signed with ``BETTER_AUTH_SECRET``.

    Raises ``TokenRejected`` for a subject that cannot be one, and ``NotConfigured``.
    """
    config = AuthnConfig.from_settings()
    now = int(time.time())
    claims = {
        "sub": subject,
        "email": email,
        "name": name,
        "iat": now,
        "exp": now + lifetime_seconds,
        "iss": config.expected_issuer,
        "aud": sorted(config.expected_audience),
    }
    payload = {name: value for name, value in claims.items() if value}
    token = jwt.encode(payload, raw_bytes(config.secret), "HS256")
    get_verifier().verify(token)
    return token
