"""The language of the tests: a cast with real tokens, in front of the real API.

Alice and Bob have signed in at the same front end and do not know each other. A client
speaks HTTP to the project with its token in every request.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from authn import conf
from authn.testing import Clock, SecretIssuer

SECRET = "the secret that this suite signs with"

Mint = Callable[..., str]


@pytest.fixture(autouse=True)
def _configured_for_the_suite(settings: Settings) -> Iterator[None]:
    """Whatever the environment says, tokens are verified with one known secret."""
    settings.BETTER_AUTH_URL = ""
    settings.BETTER_AUTH_JWKS_URL = ""
    settings.BETTER_AUTH_ISSUER = ""
    settings.BETTER_AUTH_AUDIENCE = []
    settings.BETTER_AUTH_ALGORITHMS = []
    settings.BETTER_AUTH_SECRET = SECRET
    settings.BETTER_AUTH_LEEWAY = 30
    settings.CORS_ALLOWED_ORIGINS = []
    yield
    conf._verifier_for.cache_clear()  # noqa: SLF001 - the keys of one test are not the next one's


@pytest.fixture
def mint() -> Mint:
    """``mint(sub="alice", exp=None)``: a token of the front end; ``None`` leaves a claim out."""
    return SecretIssuer(SECRET, clock=Clock(time.time())).mint


@pytest.fixture
def bearer() -> Callable[[str], Client]:
    """``bearer(token)``: a client that sends this token."""
    return lambda token: Client(headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def alice(mint: Mint, bearer: Callable[[str], Client]) -> Client:
    return bearer(mint(sub="alice", email="alice@example.com", name="Alice"))


@pytest.fixture
def bob(mint: Mint, bearer: Callable[[str], Client]) -> Client:
    return bearer(mint(sub="bob"))


@pytest.fixture
def anonymous() -> Client:
    return Client()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test that was skipped has not passed."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter.stats.get("skipped"):
        reporter.write_line("Tests were skipped, which counts as a failure in CI.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
