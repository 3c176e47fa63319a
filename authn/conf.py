"""Read the ``BETTER_AUTH_*`` settings, and build the verifier for them.

Tests may override each setting, which builds another verifier without the keys of the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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


class AuthnConfig:
    """The values that follow from the ``BETTER_AUTH_*`` settings. Empty means unset."""

    @property
    def algorithms(self) -> frozenset[str]:
        return frozenset(map(canonical_algorithm, settings.BETTER_AUTH_ALGORITHMS))

    @property
    def secret(self) -> bytes:
        """The bytes of the environment, even where these are not UTF-8 (PEP 383)."""
        return settings.BETTER_AUTH_SECRET.encode(errors="surrogateescape")

    @property
    def plain_http_allowed(self) -> bool:
        return settings.DEBUG or settings.BETTER_AUTH_ALLOW_HTTP

    @property
    def base_url(self) -> str:
        return base_url(settings.BETTER_AUTH_URL)

    @property
    def key_set_url(self) -> str:
        if url := settings.BETTER_AUTH_JWKS_URL:
            parts = split_url(url)
            return parts.geturl() if parts else url
        return f"{self.base_url}/jwks" if settings.BETTER_AUTH_URL else ""

    @property
    def expected_issuer(self) -> str:
        return settings.BETTER_AUTH_ISSUER or origin_of(settings.BETTER_AUTH_URL)

    @property
    def expected_audience(self) -> frozenset[str]:
        derived = filter(None, [origin_of(settings.BETTER_AUTH_URL)])
        return frozenset(settings.BETTER_AUTH_AUDIENCE or derived)

    @property
    def key_set_algorithms(self) -> frozenset[str]:
        """Algorithms to verify with the key set; empty if it is not in use."""
        return self._accepted(KEY_SET_ALGORITHMS) if self.key_set_url else frozenset()

    @property
    def secret_algorithms(self) -> frozenset[str]:
        """Algorithms to verify with the secret; empty if only Better Auth uses the secret."""
        return self._accepted(SECRET_ALGORITHMS) if self.secret else frozenset()

    def _accepted(self, algorithms: frozenset[str]) -> frozenset[str]:
        return algorithms & self.algorithms if self.algorithms else algorithms

    def trusts(self) -> Iterator[Trust]:
        """Yield a trust for each source of keys. The configuration must have no mistakes."""
        policy = ClaimPolicy(issuer=self.expected_issuer or None, audiences=self.expected_audience)
        if self.secret_algorithms:
            yield Trust(
                algorithms=self.secret_algorithms,
                keys=SecretKey(self.secret),
                policy=replace(
                    policy,
                    issuer_required=bool(settings.BETTER_AUTH_ISSUER),
                    audience_required=bool(settings.BETTER_AUTH_AUDIENCE),
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
    config = AuthnConfig()
    for mistake in mistakes_in(config):
        raise NotConfigured(f"{mistake.msg} {mistake.hint}")
    return TokenVerifier(list(config.trusts()), leeway_seconds=settings.BETTER_AUTH_LEEWAY)


@receiver(setting_changed)
def _forget_verifier(*, setting: str, **_: Any) -> None:
    if setting == "DEBUG" or setting.startswith("BETTER_AUTH_"):
        _verifier.cache_clear()
