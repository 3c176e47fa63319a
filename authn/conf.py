"""Read the ``BETTER_AUTH_*`` settings, and build the verifier for them.

Tests may override each setting, which builds another verifier without the keys of the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from authn.claims import ClaimPolicy
from authn.exceptions import NotConfigured
from authn.fetching import fetch_key_set
from authn.jwks import KEY_SET_ALGORITHMS, canonical_algorithm
from authn.keys import SECRET_ALGORITHMS, KeySet, SecretKey
from authn.mistakes import mistakes_in
from authn.origins import base_url, origin_of, split_url
from authn.verifier import TokenVerifier, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthnConfig:
    """The ``BETTER_AUTH_*`` settings and the values that follow from them. Empty means unset.

    ``secret`` has the bytes of the environment, even where these are not UTF-8 (PEP 383).
    """

    url: str
    jwks_url: str
    issuer: str
    audience: tuple[str, ...]
    algorithms: tuple[str, ...]
    secret: bytes = field(repr=False)
    leeway_seconds: int
    plain_http_allowed: bool

    @classmethod
    def from_settings(cls) -> AuthnConfig:
        return cls(
            url=settings.BETTER_AUTH_URL,
            jwks_url=settings.BETTER_AUTH_JWKS_URL,
            issuer=settings.BETTER_AUTH_ISSUER,
            audience=tuple(settings.BETTER_AUTH_AUDIENCE),
            algorithms=tuple(canonical_algorithm(name) for name in settings.BETTER_AUTH_ALGORITHMS),
            secret=settings.BETTER_AUTH_SECRET.encode(errors="surrogateescape"),
            leeway_seconds=settings.BETTER_AUTH_LEEWAY,
            plain_http_allowed=settings.DEBUG or settings.BETTER_AUTH_ALLOW_HTTP,
        )

    @property
    def base_url(self) -> str:
        return base_url(self.url)

    @property
    def key_set_url(self) -> str:
        if self.jwks_url:
            parts = split_url(self.jwks_url)
            return parts.geturl() if parts else self.jwks_url
        return f"{self.base_url}/jwks" if self.url else ""

    @property
    def expected_issuer(self) -> str:
        return self.issuer or origin_of(self.url)

    @property
    def expected_audience(self) -> frozenset[str]:
        return frozenset(self.audience or filter(None, [origin_of(self.url)]))

    @property
    def key_set_algorithms(self) -> frozenset[str]:
        """Algorithms to verify with the key set; empty if it is not in use."""
        return self._accepted(KEY_SET_ALGORITHMS) if self.key_set_url else frozenset()

    @property
    def secret_algorithms(self) -> frozenset[str]:
        """Algorithms to verify with the secret; empty if only Better Auth uses the secret."""
        return self._accepted(SECRET_ALGORITHMS) if self.secret else frozenset()

    def _accepted(self, algorithms: frozenset[str]) -> frozenset[str]:
        return algorithms.intersection(self.algorithms) if self.algorithms else algorithms

    def trusts(self) -> Iterator[Trust]:
        """Yield a trust for each source of keys. The configuration must have no mistakes."""
        policy = ClaimPolicy(issuer=self.expected_issuer or None, audiences=self.expected_audience)
        if self.secret_algorithms:
            yield Trust(
                algorithms=self.secret_algorithms,
                keys=SecretKey(self.secret),
                policy=replace(
                    policy,
                    issuer_required=bool(self.issuer),
                    audience_required=bool(self.audience),
                ),
            )
        if self.key_set_algorithms:
            yield Trust(
                algorithms=self.key_set_algorithms,
                keys=KeySet(partial(fetch_key_set, self.key_set_url)),
                policy=replace(policy, issuer_required=True, audience_required=True),
            )


def get_verifier() -> TokenVerifier:
    """Return the verifier for the current settings.

    Raises ``NotConfigured`` for a mistake in them, because WSGI servers run no system checks.
    """
    with _building:  # concurrent first requests must share one cache of keys
        return _verifier()


_building = Lock()


@cache
def _verifier() -> TokenVerifier:
    config = AuthnConfig.from_settings()
    for mistake in mistakes_in(config):
        raise NotConfigured(f"{mistake.msg} {mistake.hint}")
    return TokenVerifier(list(config.trusts()), leeway_seconds=config.leeway_seconds)


@receiver(setting_changed)
def _forget_verifier(*, setting: str, **_: Any) -> None:
    if setting == "DEBUG" or setting.startswith("BETTER_AUTH_"):
        _verifier.cache_clear()
