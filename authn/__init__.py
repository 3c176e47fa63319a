"""Authenticate the users of Better Auth in a Django REST framework project.

Put ``authn.JWTAuthentication`` into ``DEFAULT_AUTHENTICATION_CLASSES``. It is imported on first
use, so that ``authn.verifier`` works without Django.

pytest need not rewrite what Django has imported before it: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authn.authentication import JWTAuthentication

__all__ = ["JWTAuthentication"]


def __getattr__(name: str) -> object:
    if name == "JWTAuthentication":
        from authn.authentication import JWTAuthentication

        return JWTAuthentication
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
