"""Read the settings, and build the verifier for them.

Tests may override each setting, which builds another verifier without the keys of the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from authn.claims import AccessTokenPolicy, ClaimPolicy, Claims
from authn.exceptions import NotConfigured
from authn.fetching import fetch_key_set
from authn.jwks import KEY_SET_ALGORITHMS, canonical_algorithm
from authn.keys import SECRET_ALGORITHMS, KeySet, SecretKey
from authn.mistakes import mistakes_in
from authn.origins import base_url, origin_of, split_url
from authn.secrets import versioned_secrets
from authn.settings import DEFAULTS, setting
from authn.users import TokenUser
from authn.verifier import TokenVerifier, Trust

METADATA_PATH = "/.well-known/oauth-protected-resource"  # RFC 9728 section 3


class AuthnConfig:
    """The values that follow from the settings of ``authn.settings``. Empty means unset."""

    @property
    def algorithms(self) -> frozenset[str]:
        return frozenset(map(canonical_algorithm, setting("BETTER_AUTH_ALGORITHMS")))

    @property
    def secret(self) -> bytes:
        return _bytes_of(setting("BETTER_AUTH_SECRET"))

    @property
    def versioned_secrets(self) -> tuple[bytes, ...]:
        return tuple(map(_bytes_of, versioned_secrets(setting("BETTER_AUTH_SECRETS")).values()))

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The secrets to verify with, of which the first signs.

        Better Auth signs with the first of BETTER_AUTH_SECRETS, and calls BETTER_AUTH_SECRET
        beside them its legacy secret.
        """
        return tuple(filter(None, [*self.versioned_secrets, self.secret]))

    @property
    def plain_http_allowed(self) -> bool:
        return settings.DEBUG or setting("BETTER_AUTH_ALLOW_HTTP")

    @property
    def base_url(self) -> str:
        return base_url(setting("BETTER_AUTH_URL"))

    @property
    def key_set_url(self) -> str:
        if url := setting("BETTER_AUTH_JWKS_URL"):
            parts = split_url(url)
            return parts.geturl() if parts else url
        return f"{self.base_url}/jwks" if setting("BETTER_AUTH_URL") else ""

    @property
    def expected_issuer(self) -> str:
        return setting("BETTER_AUTH_ISSUER") or origin_of(setting("BETTER_AUTH_URL"))

    @property
    def expected_audience(self) -> frozenset[str]:
        derived = filter(None, [origin_of(setting("BETTER_AUTH_URL"))])
        return frozenset(setting("BETTER_AUTH_AUDIENCE") or derived)

    @property
    def resource(self) -> str:
        """The identifier of this API (RFC 8707); empty if OAuth access tokens are refused."""
        return str(setting("OAUTH_RESOURCE"))

    @property
    def resource_metadata_url(self) -> str:
        """The URL of the metadata that name the issuer of access tokens (RFC 9728 section 3.1)."""
        if parts := split_url(self.resource):
            path = f"{METADATA_PATH}{parts.path.rstrip('/')}"
            return f"{parts.scheme}://{parts.netloc}{path}"
        return ""

    @property
    def access_token_issuer(self) -> str:
        """The ``iss`` of access tokens, in which Better Auth keeps the base path."""
        return setting("BETTER_AUTH_ISSUER") or self.base_url

    @property
    def oauth_base_url(self) -> str:
        """The base URL of the OAuth endpoints. Without BETTER_AUTH_URL, the issuer's."""
        return self.base_url or self.access_token_issuer

    @property
    def realm(self) -> str:
        return str(setting("BETTER_AUTH_REALM"))

    @property
    def resolve_user(self) -> Callable[[Claims], Any]:
        """The function that makes a user of claims. Raises ``ImportError`` for a wrong path."""
        path = setting("BETTER_AUTH_USER_RESOLVER")
        if path.startswith("."):  # importlib raises other errors
            raise ImportError(f"{path} is a relative path")
        return import_string(path) if path else TokenUser.from_claims

    @property
    def key_set_algorithms(self) -> frozenset[str]:
        """Algorithms to verify with the key set; empty if it is not in use."""
        return self._accepted(KEY_SET_ALGORITHMS) if self.key_set_url else frozenset()

    @property
    def secret_algorithms(self) -> frozenset[str]:
        """Algorithms to verify with the secret; empty if only Better Auth uses the secret."""
        return self._accepted(SECRET_ALGORITHMS) if self.secrets else frozenset()

    def _accepted(self, algorithms: frozenset[str]) -> frozenset[str]:
        return algorithms & self.algorithms if self.algorithms else algorithms

    def trusts(self) -> Iterator[Trust]:
        """Yield a trust for each source of keys. The configuration must have no mistakes."""
        policy = ClaimPolicy(issuer=self.expected_issuer or None, audiences=self.expected_audience)
        for secret in self.secrets if self.secret_algorithms else ():
            yield Trust(
                algorithms=self.secret_algorithms,
                keys=SecretKey(secret),
                policy=replace(
                    policy,
                    issuer_required=bool(setting("BETTER_AUTH_ISSUER")),
                    audience_required=bool(setting("BETTER_AUTH_AUDIENCE")),
                ),
            )
        if self.key_set_algorithms:
            yield Trust(
                algorithms=self.key_set_algorithms,
                keys=KeySet(partial(fetch_key_set, self.key_set_url)),
                policy=replace(policy, issuer_required=True, audience_required=True),
                access_token_policy=self._access_token_policy(),
            )

    def _access_token_policy(self) -> AccessTokenPolicy | None:
        if not self.resource:
            return None
        return AccessTokenPolicy(
            issuer=self.access_token_issuer,
            audiences=frozenset({self.resource}),
            # With the scope openid, Better Auth adds its own userinfo endpoint.
            tolerated_audiences=frozenset({f"{self.oauth_base_url}/oauth2/userinfo"}),
            issuer_required=True,
            audience_required=True,
        )


def get_config() -> AuthnConfig:
    """Return the configuration. Raises ``NotConfigured`` for a mistake in the settings."""
    get_verifier()
    return AuthnConfig()


def _bytes_of(secret: str) -> bytes:
    """The bytes of the environment, even where these are not UTF-8 (PEP 383)."""
    return secret.encode(errors="surrogateescape")


@cache  # later requests take no lock
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
    return TokenVerifier(list(config.trusts()), leeway_seconds=setting("BETTER_AUTH_LEEWAY"))


@cache
def get_user_resolver() -> Callable[[Claims], Any]:
    return AuthnConfig().resolve_user


@receiver(setting_changed)
def _forget_verifier(*, setting: str, **_: Any) -> None:
    if setting == "DEBUG" or setting in DEFAULTS:
        for cached in (get_verifier, _verifier, get_user_resolver):
            cached.cache_clear()
