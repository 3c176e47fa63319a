"""Test with Better Auth's keys and signatures, without a network (docs/testing.md).

clock = Clock()
issuer = Issuer(clock=clock)
verifier = issuer.verifier()
verifier.verify(issuer.mint(sub="alice"))

The fixtures are in ``authn.testing.fixtures``, the only module of this package with pytest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from authn.testing.issuers import Clock, Issuer, SecretIssuer
from authn.testing.tokens import KEY_SET_ALGORITHMS, forge, jwk, new_private_key

if TYPE_CHECKING:
    from django.test import Client

__all__ = [
    "KEY_SET_ALGORITHMS",
    "SECRET",
    "Bearer",
    "Clock",
    "Issuer",
    "Mint",
    "SecretIssuer",
    "forge",
    "jwk",
    "new_private_key",
]

SECRET = "the secret that this suite signs with"  # noqa: S105 - for tests only
# Types of the fixtures, for annotations.
Mint = Callable[..., str]
Bearer: TypeAlias = "Callable[[str], Client]"
