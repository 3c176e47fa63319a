"""Mint tokens to try the API with. Only the shared secret can sign: a key set verifies."""

from __future__ import annotations

import time

import jwt

from authn.conf import AuthnConfig, get_verifier


def can_mint() -> bool:
    return bool(AuthnConfig().secret_algorithms)


def mint(
    subject: str, *, lifetime_seconds: int, email: str | None = None, name: str | None = None
) -> str:
    """Return a token that this API accepts, signed with the newest secret.

    Raises ``TokenRejected`` for an invalid subject, and ``NotConfigured``.
    """
    config = AuthnConfig()
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
    token = jwt.encode(payload, config.secrets[0], "HS256")
    get_verifier().verify(token)
    return token
