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

from api.errors.exceptions import TooManyRequests
from api.requests import USAGE
from api.throttling import counters
from api.throttling.addresses import client_of
from authn.conf import get_verifier
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

    def use(self, identity: str) -> Usage | None:
        """Count one request. Return ``None`` while the cache fails."""
        moment = now()
        # Twice the window, because the clocks of processes differ.
        count = counters.increment(
            self._key(identity, moment), lifetime_seconds=2 * self.window_seconds
        )
        return None if count is None else self._usage(count, moment)

    def look(self, identity: str) -> Usage | None:
        """Return the same as ``use``, and count nothing."""
        moment = now()
        count = counters.read(self._key(identity, moment))
        return None if count is None else self._usage(count + 1, moment)

    def _usage(self, count: int, moment: float) -> Usage:
        return Usage(
            scope=self.scope,
            limit=self.limit,
            window_seconds=self.window_seconds,
            remaining=max(0, self.limit - count),
            reset_seconds=math.ceil(self.window_seconds - moment % self.window_seconds),
            exceeded=count > self.limit,
        )

    def _key(self, identity: str, moment: float) -> str:
        # Not the identity itself: a `sub` may have any characters.
        digest = hashlib.blake2b(identity.encode(errors="surrogatepass"), digest_size=16)
        window = int(moment // self.window_seconds)
        return f"throttle:{self.scope}:{window}:{digest.hexdigest()}"


def spend(request: HttpRequest | Request, scope: Scope, identity: str) -> None:
    """Count one request. Raise ``TooManyRequests`` beyond the allowance."""
    usage = Allowance.of(scope).use(identity)
    request.META[USAGE] = usage
    if usage and usage.exceeded:
        raise TooManyRequests(usage.reset_seconds)


def count_refusal(request: HttpRequest) -> None:
    """Count a token that was refused, for the address of its sender."""
    request.META[USAGE] = Allowance.of("refused").use(client_of(request))


def require_refusals_left(request: HttpRequest, token: str) -> None:
    """Raise ``TooManyRequests`` if the address has used up its refusals.

    A token that this process remembers passes, because its signature needs no work.
    """
    if get_verifier().remembers(token):
        return
    usage = Allowance.of("refused").look(client_of(request))
    if usage and usage.exceeded:
        request.META[USAGE] = usage
        raise TooManyRequests(usage.reset_seconds)


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
