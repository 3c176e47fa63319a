"""Better Auth as pytest fixtures: ``pytest_plugins = ["authn.testing.fixtures"]``.

They work on what ``authn.conf`` puts the API's verifier together from, so that everything
else between a request and its answer is the real thing. docs/testing.md has an example.
"""

from __future__ import annotations

import time
from functools import partial

import pytest
from django.test import Client
from pytest_django import Settings

from authn import conf
from authn.keys import KeySet
from authn.testing import SECRET, Bearer, Clock, Issuer, Mint, SecretIssuer
from authn.verifier import TokenVerifier


@pytest.fixture(autouse=True)
def _verification(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Whatever the environment says, tokens are verified with ``SECRET``, by a clock that stands.

    Its own fixture, so that a test module may have another ``clock`` for something else.
    """
    settings.BETTER_AUTH_URL = ""
    settings.BETTER_AUTH_JWKS_URL = ""
    settings.BETTER_AUTH_ISSUER = ""
    settings.BETTER_AUTH_AUDIENCE = []
    settings.BETTER_AUTH_ALGORITHMS = []
    settings.BETTER_AUTH_SECRET = SECRET
    settings.BETTER_AUTH_ALLOW_HTTP = False
    settings.BETTER_AUTH_LEEWAY = 30
    clock = Clock(int(time.time()))  # a whole second, as in the claims
    monkeypatch.setattr(conf, "TokenVerifier", partial(TokenVerifier, clock=clock))
    monkeypatch.setattr(conf, "KeySet", partial(KeySet, clock=clock))
    conf._verifier_for.cache_clear()  # noqa: SLF001 - the keys of one test are not the next one's
    return clock


@pytest.fixture
def clock(_verification: Clock) -> Clock:
    """The time by which the API verifies tokens, and at which the issuers here sign them."""
    return _verification


@pytest.fixture
def issuer(
    request: pytest.FixtureRequest,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    _verification: Clock,
) -> Issuer:
    """A Better Auth whose key set the API fetches; the secret stays on beside it.

    Its algorithm is EdDSA, or the parameter: ``parametrize("issuer", ["ES256"], indirect=True)``.
    """
    issuer = Issuer(algorithm=getattr(request, "param", "EdDSA"), clock=_verification)
    settings.BETTER_AUTH_URL = issuer.url
    monkeypatch.setattr(conf, "fetch_key_set", lambda url: issuer.fetch())
    return issuer


@pytest.fixture
def secret_issuer(_verification: Clock) -> SecretIssuer:
    """A front end that shares ``SECRET`` with the API (HS256)."""
    return SecretIssuer(SECRET, clock=_verification)


@pytest.fixture
def mint(secret_issuer: SecretIssuer) -> Mint:
    """``mint(sub="alice", exp=None)``: a token of the front end; ``None`` leaves a claim out."""
    return secret_issuer.mint


@pytest.fixture
def bearer() -> Bearer:
    """``bearer(token)``: a client that sends this token."""
    return lambda token: Client(headers={"authorization": f"Bearer {token}"})
