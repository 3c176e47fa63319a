"""Better Auth as pytest fixtures. pytest finds them where ``drf-better-auth`` is installed.

Without the installed package, name them: ``pytest_plugins = ["authn.testing.fixtures"]``.

A test that asks for one of them trusts ``SECRET`` alone, by a clock that stands still. Nothing
changes for any other test. The fixtures replace the keys, the settings and the clock of the
verifier, and nothing else of a request. docs/testing.md has an example.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from authn.testing import Bearer, Clock, Issuer, Mint, SecretIssuer


@pytest.fixture
def _authn_settings(request: pytest.FixtureRequest) -> Iterator[Callable[..., object]]:
    """A function that changes Django settings until the test ends: ``change(DEBUG=True)``."""
    if request.config.pluginmanager.hasplugin("django"):
        # Changes are undone in reverse, and a test may make its own with this fixture.
        settings = request.getfixturevalue("settings")

        def change(**values: Any) -> None:
            for name, value in values.items():
                setattr(settings, name, value)

        yield change
        return

    from django.test import override_settings

    with ExitStack() as changes:
        yield lambda **values: changes.enter_context(override_settings(**values))


@pytest.fixture
def _authn_clock(_authn_settings: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Trust ``SECRET`` alone, by a stopped clock and with no keys of another test.

    Separate from ``clock``, so that a test module may override ``clock`` for something else.
    """
    from authn import conf
    from authn.keys import KeySet
    from authn.testing import SECRET, Clock
    from authn.verifier import TokenVerifier

    _authn_settings(
        BETTER_AUTH_URL="",
        BETTER_AUTH_JWKS_URL="",
        BETTER_AUTH_ISSUER="",
        BETTER_AUTH_AUDIENCE=[],
        BETTER_AUTH_ALGORITHMS=[],
        BETTER_AUTH_SECRET=SECRET,
        BETTER_AUTH_SECRETS="",
        BETTER_AUTH_ALLOW_HTTP=False,
        BETTER_AUTH_LEEWAY=30,
        OAUTH_RESOURCE="",  # needs a key set
    )
    clock = Clock(int(time.time()))  # a whole second, as in the claims
    monkeypatch.setattr(conf, "TokenVerifier", partial(TokenVerifier, clock=clock))
    monkeypatch.setattr(conf, "KeySet", partial(KeySet, clock=clock))
    return clock


@pytest.fixture
def clock(_authn_clock: Clock) -> Clock:
    """The clock by which the API verifies tokens, and by which the issuers sign them."""
    return _authn_clock


@pytest.fixture
def issuer(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    _authn_settings: Callable[..., object],
    _authn_clock: Clock,
) -> Issuer:
    """A Better Auth whose key set the API fetches, next to the secret.

    Signs with EdDSA, or with ``parametrize("issuer", ["ES256"], indirect=True)``.
    """
    from authn import conf
    from authn.testing import Issuer

    issuer = Issuer(algorithm=getattr(request, "param", "EdDSA"), clock=_authn_clock)
    _authn_settings(BETTER_AUTH_URL=issuer.url)
    monkeypatch.setattr(conf, "fetch_key_set", lambda url: issuer.fetch())
    return issuer


@pytest.fixture
def secret_issuer(_authn_clock: Clock) -> SecretIssuer:
    """A Better Auth that shares ``SECRET`` with the API (HS256)."""
    from authn.testing import SECRET, SecretIssuer

    return SecretIssuer(SECRET, clock=_authn_clock)


@pytest.fixture
def mint(secret_issuer: SecretIssuer) -> Mint:
    """Mint a token with the secret: ``mint(sub="alice", exp=None)``. ``None`` omits a claim."""
    return secret_issuer.mint


@pytest.fixture
def bearer(_authn_clock: Clock) -> Bearer:
    """Make a Django test client that sends a token: ``bearer(token)``."""
    from django.test import Client

    return lambda token: Client(headers={"authorization": f"Bearer {token}"})
