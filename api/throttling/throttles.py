"""Allowances of users and addresses, in fixed windows of the clock."""

from __future__ import annotations

import hashlib
import math
import time
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, cast

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.errors.exceptions import TooManyRefusals, TooManyRequests
from api.requests import USAGE
from api.throttling import counters
from api.throttling.addresses import client_of
from authn import JWTAuthentication
from authn.users import TokenUser

if TYPE_CHECKING:
    from rest_framework.views import APIView  # loads this module, which the settings name

Scope = Literal["user", "anon", "refused"]
SCOPES: tuple[Scope, ...] = ("user", "anon", "refused")


class Usage(NamedTuple):
    """The rest of an allowance in the current window."""

    scope: Scope
    limit: int
    window_seconds: int
    remaining: int
    reset_seconds: int  # 1 or more
    exceeded: bool


class Allowance(NamedTuple):
    """``limit`` requests in a window, for each user or address."""

    scope: Scope
    limit: int
    window_seconds: int

    @classmethod
    def of(cls, scope: Scope) -> Self:
        limit, window_seconds = getattr(settings, f"THROTTLE_{scope.upper()}")
        return cls(scope, limit, window_seconds)

    def use(self, identity: str, *, counted: bool = True) -> Usage | None:
        """Count one request, or look what counting it would give.

        Return ``None`` while the cache fails.
        """
        window, passed_seconds = divmod(now(), self.window_seconds)
        # Not the identity itself: a `sub` may have any characters.
        digest = hashlib.blake2b(identity.encode(errors="surrogatepass"), digest_size=16)
        key = f"throttle:{self.scope}:{int(window)}:{digest.hexdigest()}"
        if counted:
            # Twice the window, because the clocks of processes differ.
            count = counters.increment(key, lifetime_seconds=2 * self.window_seconds)
        else:
            count = counters.next_count(key)
        if count is None:
            return None
        return Usage(
            scope=self.scope,
            limit=self.limit,
            window_seconds=self.window_seconds,
            remaining=max(0, self.limit - count),
            reset_seconds=math.ceil(self.window_seconds - passed_seconds),
            exceeded=count > self.limit,
        )


def spend(request: HttpRequest | Request, scope: Scope, identity: str) -> None:
    """Count one request. Raise ``TooManyRequests`` beyond the allowance."""
    usage = Allowance.of(scope).use(identity)
    request.META[USAGE] = usage
    if usage and usage.exceeded:
        raise TooManyRequests(usage.reset_seconds)


def count_refusal(request: HttpRequest) -> None:
    """Count a token that was refused, for the address of its sender."""
    request.META[USAGE] = Allowance.of("refused").use(client_of(request))


def require_refusals_left(request: HttpRequest | Request) -> None:
    """Raise ``TooManyRefusals`` if the address has used up its refusals."""
    usage = Allowance.of("refused").use(client_of(request), counted=False)
    if usage and usage.exceeded:
        request.META[USAGE] = usage
        raise TooManyRefusals(usage.reset_seconds)


class ThrottledAuthentication(JWTAuthentication):
    """Subclass of JWTAuthentication that verifies no token of an address without refusals left."""

    def before_work(self, request: Request) -> None:
        require_refusals_left(request)


class UserThrottle(BaseThrottle):
    """Count the requests of a user. The order of answers is 401, 429, 404, 403."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Raise ``TooManyRequests`` instead of returning ``False``."""
        user = cast("TokenUser", request.user)
        if user.is_authenticated:
            spend(request, "user", user.id)
        return True


def now() -> float:
    """Seconds since the epoch."""
    return time.time()
