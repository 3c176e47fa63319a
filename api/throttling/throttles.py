"""How much one user or one address may ask. Fixed windows of the clock, one counter for each."""

from __future__ import annotations

import hashlib
import math
import time
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.requests import user_of
from api.throttling import counters
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


def refusals_used_up(client: str, token: str) -> Usage | None:
    """The usage of an address that has used up its refusals, if that stops ``token``.

    A token that this process remembers costs no signature, so that nothing stops it.
    """
    usage = Allowance.of("refused").look(client)
    if usage is None or not usage.exceeded or get_verifier().remembers(token):
        return None
    return usage


class UserThrottle(BaseThrottle):
    """Counts a user's requests, whatever the view makes of them.

    The framework asks it after authentication and permissions, and before the view looks for
    anything: 401, 429, 404, 403.
    """

    usage: Usage | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        user = user_of(request)
        if not user.is_authenticated:
            return True  # the address is counted
        self.usage = Allowance.of("user").use(user.id)
        note_usage(request._request, self.usage)  # noqa: SLF001 - the one that middleware has
        return self.usage is None or not self.usage.exceeded

    def wait(self) -> float | None:
        return self.usage.reset_seconds if self.usage else None


def note_usage(request: HttpRequest, usage: Usage | None) -> None:
    """What the answer is to tell: of several allowances, the last one that was counted."""
    request.usage = usage  # type: ignore[attr-defined]


def usage_of(request: HttpRequest) -> Usage | None:
    return getattr(request, "usage", None)


def write_rate_limit_fields(response: HttpResponseBase, usage: Usage) -> None:
    """``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers-10)."""
    policy = f'"{usage.scope}";q={usage.limit};w={usage.window_seconds}'
    response["RateLimit-Policy"] = policy
    response["RateLimit"] = f'"{usage.scope}";r={usage.remaining};t={usage.reset_seconds}'


def now() -> float:
    """Seconds since the epoch, by the clock that windows are counted from."""
    return time.time()
