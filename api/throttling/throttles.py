"""How much one user or one address may ask. Fixed windows of the clock, one counter for each."""

from __future__ import annotations

import hashlib
import math
import time
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.errors.exceptions import TooManyRequests
from api.requests import state_of, user_of
from api.throttling import counters
from api.throttling.addresses import client_of
from authn.conf import get_verifier

if TYPE_CHECKING:
    from rest_framework.views import APIView  # imports this module by its name in the settings

Scope = Literal["user", "anon", "refused"]
SCOPES: tuple[Scope, ...] = ("user", "anon", "refused")


class Usage(NamedTuple):
    """What is left of an allowance in the window that is running."""

    scope: Scope
    limit: int
    window_seconds: int
    remaining: int
    reset_seconds: int  # 1 or more
    exceeded: bool


class Allowance(NamedTuple):
    """``limit`` requests in every window, for each identity of a scope."""

    scope: Scope
    limit: int
    window_seconds: int

    @classmethod
    def of(cls, scope: Scope) -> Self:
        limit, window_seconds = getattr(settings, f"THROTTLE_{scope.upper()}")
        return cls(scope, limit, window_seconds)

    def use(self, identity: str) -> Usage | None:
        """Count one request. ``None`` while the cache is down: then nobody is refused."""
        moment = now()
        # Twice the window, for processes whose clocks differ.
        count = counters.increment(
            self._key(identity, moment), lifetime_seconds=2 * self.window_seconds
        )
        return None if count is None else self._usage(count, moment)

    def look(self, identity: str) -> Usage | None:
        """What ``use`` would return, counting nothing."""
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
        # A digest, because a `sub` may have any length and any characters.
        digest = hashlib.blake2b(identity.encode(errors="surrogatepass"), digest_size=16)
        window = int(moment // self.window_seconds)
        return f"throttle:{self.scope}:{window}:{digest.hexdigest()}"


def spend(request: HttpRequest | Request, scope: Scope, identity: str) -> None:
    """Count one request. Raise ``TooManyRequests`` beyond the allowance."""
    usage = Allowance.of(scope).use(identity)
    state_of(request).usage = usage
    if usage and usage.exceeded:
        raise TooManyRequests(usage.reset_seconds)


def count_refusal(request: HttpRequest) -> None:
    """Count a token that was refused, for the address of its sender."""
    state_of(request).usage = Allowance.of("refused").use(client_of(request))


def require_refusals_left(request: HttpRequest, token: str) -> None:
    """Raise ``TooManyRequests`` where the address has used up its refusals.

    A token that this process remembers passes all the same, because it costs no signature.
    """
    usage = Allowance.of("refused").look(client_of(request))
    if usage and usage.exceeded and not get_verifier().remembers(token):
        state_of(request).usage = usage
        raise TooManyRequests(usage.reset_seconds)


class UserThrottle(BaseThrottle):
    """Count a user's requests, whatever their answer: 401 comes first, then 429, 404 and 403."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Raise ``TooManyRequests`` instead of returning ``False``."""
        user = user_of(request)
        if user.is_authenticated:
            spend(request, "user", user.id)
        return True


def now() -> float:
    """Seconds since the epoch, by the clock that windows are counted from."""
    return time.time()
