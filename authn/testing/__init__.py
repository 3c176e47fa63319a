"""What a test needs of Better Auth: real keys, real signatures, no network (docs/testing.md).

clock = Clock()
issuer = Issuer(clock=clock)
verifier = issuer.verifier()
verifier.verify(issuer.mint(sub="alice"))

The fixtures are in ``authn.testing.fixtures``, the one module here that needs pytest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from authn.testing.issuers import START, Clock, Issuer, SecretIssuer
from authn.testing.tokens import KEY_SET_ALGORITHMS, forge, jwk, new_private_key

if TYPE_CHECKING:
    from django.test import Client

__all__ = [
    "KEY_SET_ALGORITHMS",
    "SECRET",
    "START",
    "Bearer",
    "Clock",
    "Issuer",
    "Mint",
    "SecretIssuer",
    "forge",
    "jwk",
    "new_private_key",
]

# What the fixtures are, for the annotations of those who use them.
SECRET = "the secret that this suite signs with"  # noqa: S105 - it opens nothing but tests
Mint = Callable[..., str]
Bearer: TypeAlias = "Callable[[str], Client]"
