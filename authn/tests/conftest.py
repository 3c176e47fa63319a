from __future__ import annotations

import pytest
from pytest_django import Settings

from authn.testing import Issuer
from authn.tests.language import RESOURCE, Grant


@pytest.fixture
def drf(settings: Settings) -> None:
    """Configure a project of DRF without an error format of its own."""
    settings.REST_FRAMEWORK = {"UNAUTHENTICATED_USER": "authn.users.AnonymousUser"}
    settings.BETTER_AUTH_REALM = "api"


@pytest.fixture
def grant(settings: Settings, issuer: Issuer) -> Grant:
    """Let a client act for Alice, with the scopes and claims that the test names."""
    settings.OAUTH_RESOURCE = RESOURCE
    return lambda scope="todos:read", **claims: issuer.mint_access_token(
        **{"resource": RESOURCE, "scope": scope, **claims}
    )
