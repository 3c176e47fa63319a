"""OAuth access tokens of the Better Auth that the fixture ``issuer`` is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from django.test import Client
from pytest_django import Settings

from api.views import openapi_document
from authn.testing import Bearer, Issuer

RESOURCE = "https://todos.example.com"
METADATA_URL = f"{RESOURCE}/.well-known/oauth-protected-resource"
READ, WRITE = "todos:read", "todos:write"
READING = ("GET", "HEAD", "OPTIONS")

Grant: TypeAlias = Callable[..., Client]


def access_token(issuer: Issuer, *scopes: str, **claims: Any) -> str:
    """Mint the token that a client gets from Alice. ``None`` omits a claim."""
    own = {
        "iss": f"{issuer.url}/api/auth",
        "aud": RESOURCE,
        "azp": "agent",
        "client_id": "agent",
        "sid": "session",
        "jti": "token",
        "scope": " ".join(scopes),
    }
    return issuer.mint(header={"typ": "at+jwt"}, **{**own, **claims})


@pytest.fixture
def oauth(settings: Settings, issuer: Issuer) -> Iterator[None]:
    """The API as ``OAUTH_RESOURCE`` configures it."""
    settings.OAUTH_RESOURCE = RESOURCE
    openapi_document.cache_clear()
    yield
    openapi_document.cache_clear()


@pytest.fixture
def grant(oauth: None, issuer: Issuer, bearer: Bearer) -> Grant:
    """Make the client of an agent that Alice has granted these scopes: ``grant("todos:read")``."""
    return lambda *scopes, **claims: bearer(access_token(issuer, *scopes, **claims))


def needed(method: str) -> str:
    return READ if method in READING else WRITE


def useless(method: str) -> str:
    """The scope that does not allow a method."""
    return WRITE if method in READING else READ


def challenge(scope: str) -> str:
    return (
        f'Bearer realm="todos", resource_metadata="{METADATA_URL}", '
        f'error="insufficient_scope", scope="{scope}"'
    )
