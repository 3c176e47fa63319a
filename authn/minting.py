"""Mint tokens to try the API with. Only the shared secret can sign: a key set verifies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import jwt

from authn.conf import AuthnConfig, get_verifier


def can_mint() -> bool:
    return bool(AuthnConfig().secret_algorithms)


def mint(
    subject: str,
    *,
    lifetime_seconds: int,
    email: str | None = None,
    name: str | None = None,
    more_claims: Mapping[str, Any] | None = None,
) -> str:
    """Return a token that this API accepts, signed with the newest secret.

    Raises ``TokenRejected`` or ``TypeError`` for an invalid claim, and ``NotConfigured``.
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
    payload = {name: value for name, value in claims.items() if value} | dict(more_claims or {})
    token = jwt.encode(payload, config.secrets[0], "HS256")
    get_verifier().verify(token)
    return token
