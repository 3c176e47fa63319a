"""Authenticate requests in DRF, which only this module of ``authn`` imports."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.http import HttpRequest
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from authn.claims import Claims
from authn.conf import get_verifier
from authn.exceptions import KeysUnavailable, TokenRejected
from authn.users import TokenUser

logger = logging.getLogger(__name__)

REALM = "todos"


class InvalidToken(AuthenticationFailed):
    """401, with the parameters of ``WWW-Authenticate`` in ``challenge`` (RFC 6750 section 3)."""

    def __init__(self, reason: TokenRejected) -> None:
        super().__init__(reason.detail, reason.code)
        self.reason = reason
        self.challenge = f'error="invalid_token", error_description="{reason.detail}"'


class VerificationUnavailable(APIException):
    """503. Clients would log their users out on a 401."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self, reason: KeysUnavailable) -> None:
        super().__init__(reason.detail, reason.code)
        self.reason = reason
        self.wait = reason.retry_after_seconds


class JWTAuthentication(BaseAuthentication):
    """Authenticate by ``Authorization: Bearer <token>`` (RFC 6750 section 2.1), and only by it.

    Sets ``request.user`` to a ``TokenUser`` and ``request.auth`` to its ``Claims``, without a
    query. A request without the header, or with another scheme, is anonymous.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, Claims] | None:
        token = bearer_token(request)
        if token is None:
            return None
        return authenticate_token(token, before_work=partial(self.before_work, request))

    def before_work(self, request: Request) -> None:
        """Raise here to refuse the work of verifying a token that is not remembered."""

    def authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{REALM}"'


def authenticate_token(
    token: str, *, before_work: Callable[[], None] = lambda: None
) -> tuple[TokenUser, Claims]:
    """Verify ``token``, as ``TokenVerifier.verify`` does.

    Raises ``InvalidToken`` or ``VerificationUnavailable``.
    """
    try:
        claims = get_verifier().verify(token, before_work=before_work)
    except TokenRejected as reason:
        logger.debug("Token refused: %s", reason.code)
        raise InvalidToken(reason) from None
    except KeysUnavailable as reason:
        logger.warning("Token not verified: %s", reason.code)
        raise VerificationUnavailable(reason) from None
    return TokenUser.from_claims(claims), claims


def bearer_token(request: HttpRequest | Request) -> str | None:
    return token_in(request.META)


def token_in(environ: Mapping[str, Any]) -> str | None:
    """Return the credentials after ``Bearer``, well-formed or not; ``None`` for other schemes."""
    header: str = environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.strip(" ").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None
