"""The header of a request -> its user. The only module here that knows the framework."""

from __future__ import annotations

import logging
from collections.abc import Mapping
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
    """401. ``challenge`` is for ``WWW-Authenticate`` (RFC 6750 section 3)."""

    def __init__(self, reason: TokenRejected) -> None:
        super().__init__(reason.detail, reason.code)
        self.reason = reason
        self.challenge = f'error="invalid_token", error_description="{reason.detail}"'


class VerificationUnavailable(APIException):
    """503. Not 401: a client that is told 401 logs its user out."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self, reason: KeysUnavailable) -> None:
        super().__init__(reason.detail, reason.code)
        self.reason = reason
        self.wait = reason.retry_after_seconds


class JWTAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>`` (RFC 6750 section 2.1), and no other place.

    Sets ``request.user`` to a ``TokenUser`` and ``request.auth`` to its ``Claims``. Costs no
    query. No header or another scheme is nobody; whatever else is wrong raises.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, Claims] | None:
        token = bearer_token(request)
        return None if token is None else authenticate_token(token)

    def authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{REALM}"'


def authenticate_token(token: str) -> tuple[TokenUser, Claims]:
    """Whose token this is. Raises ``InvalidToken`` or ``VerificationUnavailable``."""
    try:
        claims = get_verifier().verify(token)
    except TokenRejected as reason:
        logger.debug("Token refused: %s", reason.code)
        raise InvalidToken(reason) from None
    except KeysUnavailable as reason:
        logger.warning("Token not verified: %s", reason.code)
        raise VerificationUnavailable(reason) from None
    return TokenUser.from_claims(claims), claims


def bearer_token(request: HttpRequest | Request) -> str | None:
    """What follows ``Bearer`` in the header, well-formed or not; ``None`` without that scheme."""
    return token_in(request.META)


def token_in(environ: Mapping[str, Any]) -> str | None:
    """Do the same with the environ of a request (PEP 3333)."""
    header: str = environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.strip(" ").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None
