"""Authenticate the users of Better Auth in a Django REST framework project.

Put ``authn.JWTAuthentication`` into ``DEFAULT_AUTHENTICATION_CLASSES``. Without DRF, call
``verify`` or ``averify``. Django and DRF are imported on first use, so that ``authn.verifier``
works without them.

pytest need not rewrite what Django has imported before it: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authn.authentication import JWTAuthentication
    from authn.claims import Claims

__all__ = ["JWTAuthentication", "averify", "verify"]


def verify(token: str) -> Claims:
    """Return the claims of ``token``, by the settings of the Django project.

    Raises ``authn.exceptions.TokenRejected`` (401) or ``KeysUnavailable`` (503), and
    ``NotConfigured`` for a mistake in the settings. May wait three seconds for the issuer.
    """
    from authn.conf import get_verifier

    return get_verifier().verify(token)


async def averify(token: str) -> Claims:
    """Do the same without blocking the event loop while keys are fetched."""
    from authn.conf import get_verifier

    return await get_verifier().averify(token)


def __getattr__(name: str) -> object:
    if name == "JWTAuthentication":
        from authn.authentication import JWTAuthentication

        return JWTAuthentication
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
