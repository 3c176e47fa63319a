"""Test with Better Auth's keys and signatures, without a network (docs/testing.md).

clock = Clock()
issuer = Issuer(clock=clock)
verifier = issuer.verifier()
verifier.verify(issuer.mint(sub="alice"))

The fixtures are in ``authn.testing.fixtures``, the only module of this package with pytest. pytest
imports that module, and with it this one, at the start of every run where the package is installed.
So each name is imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from django.test import Client

    from authn.testing.issuers import Clock, Issuer, SecretIssuer
    from authn.testing.tokens import KEY_SET_ALGORITHMS, forge, jwk, new_private_key

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

_MODULES = {
    **dict.fromkeys(("Clock", "Issuer", "SecretIssuer"), "authn.testing.issuers"),
    **dict.fromkeys(
        ("KEY_SET_ALGORITHMS", "forge", "jwk", "new_private_key"), "authn.testing.tokens"
    ),
}


def __getattr__(name: str) -> Any:
    if module := _MODULES.get(name):
        return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
