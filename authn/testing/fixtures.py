"""Better Auth as pytest fixtures: ``pytest_plugins = ["authn.testing.fixtures"]``.

The fixtures replace the keys, the settings and the clock of the API's verifier. The rest of a
request is not replaced. docs/testing.md has an example.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import pytest
from django.test import Client, override_settings
from pytest_django import Settings

from authn import conf
from authn.keys import KeySet
from authn.testing import SECRET, Bearer, Clock, Issuer, Mint, SecretIssuer
from authn.verifier import TokenVerifier


@pytest.fixture(scope="session", autouse=True)
def _verification_settings() -> Iterator[None]:
    """Trust ``SECRET`` alone, whatever the environment says."""
    with override_settings(
        BETTER_AUTH_URL="",
        BETTER_AUTH_JWKS_URL="",
        BETTER_AUTH_ISSUER="",
        BETTER_AUTH_AUDIENCE=[],
        BETTER_AUTH_ALGORITHMS=[],
        BETTER_AUTH_SECRET=SECRET,
        BETTER_AUTH_ALLOW_HTTP=False,
        BETTER_AUTH_LEEWAY=30,
    ):
        yield


@pytest.fixture(autouse=True)
def _verification(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Verify tokens by a stopped clock, with no keys of another test.

    Separate from ``clock``, so that a test module may override ``clock`` for something else.
    """
    clock = Clock(int(time.time()))  # a whole second, as in the claims
    monkeypatch.setattr(conf, "TokenVerifier", partial(TokenVerifier, clock=clock))
    monkeypatch.setattr(conf, "KeySet", partial(KeySet, clock=clock))
    conf._verifier.cache_clear()  # noqa: SLF001
    return clock


@pytest.fixture
def clock(_verification: Clock) -> Clock:
    """The clock by which the API verifies tokens, and by which the issuers sign them."""
    return _verification


@pytest.fixture
def issuer(
    request: pytest.FixtureRequest,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    _verification: Clock,
) -> Issuer:
    """A Better Auth whose key set the API fetches, next to the secret.

    Signs with EdDSA, or with ``parametrize("issuer", ["ES256"], indirect=True)``.
    """
    issuer = Issuer(algorithm=getattr(request, "param", "EdDSA"), clock=_verification)
    settings.BETTER_AUTH_URL = issuer.url
    monkeypatch.setattr(conf, "fetch_key_set", lambda url: issuer.fetch())
    return issuer


@pytest.fixture
def secret_issuer(_verification: Clock) -> SecretIssuer:
    """A Better Auth that shares ``SECRET`` with the API (HS256)."""
    return SecretIssuer(SECRET, clock=_verification)


@pytest.fixture
def mint(secret_issuer: SecretIssuer) -> Mint:
    """Mint a token with the secret: ``mint(sub="alice", exp=None)``. ``None`` omits a claim."""
    return secret_issuer.mint


@pytest.fixture
def bearer() -> Bearer:
    """Make a Django test client that sends a token: ``bearer(token)``."""
    return lambda token: Client(headers={"authorization": f"Bearer {token}"})
