"""Authenticate requests in DRF."""

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

from authn.challenges import bearer_challenge, parameters
from authn.claims import Claims
from authn.conf import get_user_resolver, get_verifier
from authn.exceptions import KeysUnavailable, TokenRejected, UserRefused

logger = logging.getLogger(__name__)


class InvalidToken(AuthenticationFailed):
    """401, with the reason in ``WWW-Authenticate`` (RFC 6750 section 3).

    DRF assigns ``auth_header`` before its exception handler reads it. ``challenge`` is the same
    without ``error_code``, for a handler that shows the code elsewhere. The challenge of another
    authenticator stays as it is.
    """

    def __init__(self, reason: TokenRejected) -> None:
        super().__init__(reason.detail, reason.code)
        self.reason = reason
        self._challenge = ""

    @property
    def challenge(self) -> str:
        return self._with(self._error)

    @property
    def auth_header(self) -> str:
        return self._with(f"{self._error}, {parameters(error_code=self.reason.code)}")

    @auth_header.setter
    def auth_header(self, challenge: str) -> None:
        self._challenge = challenge

    @property
    def _error(self) -> str:
        return parameters(error="invalid_token", error_description=self.reason.detail)

    def _with(self, error: str) -> str:
        is_own = self._challenge.startswith("Bearer ")
        return f"{self._challenge}, {error}" if is_own else self._challenge


class VerificationUnavailable(APIException):
    """503. Clients would log their users out on a 401."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self, reason: KeysUnavailable) -> None:
        super().__init__(reason.detail, reason.code)
        self.reason = reason
        self.wait = reason.retry_after_seconds


class JWTAuthentication(BaseAuthentication):
    """Authenticate by ``Authorization: Bearer <token>`` (RFC 6750 section 2.1), and only by it.

    Sets ``request.auth`` to the ``Claims`` of the token and ``request.user`` to their user: a
    ``TokenUser``, without a query, or what BETTER_AUTH_USER_RESOLVER returns. A request without the
    header, or with another scheme, is anonymous.
    """

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        token = bearer_token(request)
        if token is None:
            return None
        return authenticate_token(token, before_work=partial(self.before_work, request))

    def before_work(self, request: Request) -> None:
        """Raise here to refuse the work of verifying a token that is not remembered."""

    def authenticate_header(self, request: Request) -> str:
        return bearer_challenge()


def authenticate_token(
    token: str, *, before_work: Callable[[], None] = lambda: None
) -> tuple[Any, Claims]:
    """Verify ``token``, as ``TokenVerifier.verify`` does, and resolve its user.

    Raises ``InvalidToken`` or ``VerificationUnavailable``, and what the resolver raises. ``None``,
    also in a lazy object, and a user who is not active are refused: DRF would take ``None`` for a
    user.
    """
    try:
        verifier, resolve_user = get_verifier(), get_user_resolver()
        claims = verifier.verify(token, before_work=before_work)
        user = resolve_user(claims)
        if not user or not getattr(user, "is_active", True):
            raise UserRefused
    except TokenRejected as reason:
        logger.debug("Token refused: %s", reason.code)
        raise InvalidToken(reason) from None
    except KeysUnavailable as reason:
        logger.warning("Token not verified: %s", reason.code)
        raise VerificationUnavailable(reason) from None
    return user, claims


def bearer_token(request: HttpRequest | Request) -> str | None:
    return token_in(request.META)


def token_in(environ: Mapping[str, Any]) -> str | None:
    """Return the credentials after ``Bearer``, well-formed or not; ``None`` for other schemes."""
    header: str = environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.strip(" ").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None
