"""The security schemes of drf-spectacular."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings
from pytest_django import Settings
from rest_framework.permissions import IsAuthenticated

import authn.openapi  # noqa: F401 - registers the schemes
from authn import JWTAuthentication
from authn.permissions import HasScope
from authn.tests.views import Answer

pytestmark = pytest.mark.usefixtures("drf")

SCOPES = {"read": "Read", "write": "Write"}


class Subclass(JWTAuthentication):
    pass


class View(Answer):
    """A view with scopes."""

    authentication_classes = [Subclass]
    permission_classes = [
        IsAuthenticated,
        HasScope.of("read"),
        HasScope.of({"GET": "read", "POST": ["read", "write"]}),
    ]
    schema = AutoSchema()


@pytest.fixture
def resource(settings: Settings) -> None:
    settings.BETTER_AUTH_URL = "https://auth.example.com"
    settings.OAUTH_RESOURCE = "https://api.example.com/v1"


def document(**options: Any) -> Any:
    defaults: dict[str, Any] = {"AUTHENTICATION_WHITELIST": None, "POSTPROCESSING_HOOKS": []}
    with patched_settings({**defaults, **options}):
        generator: Any = SchemaGenerator(patterns=[path("view/", View.as_view())])  # type: ignore[no-untyped-call]
        return generator.get_schema(request=None, public=True)


def test_a_subclass_has_the_bearer_scheme_alone() -> None:
    found = document()
    schemes = found["components"]["securitySchemes"]
    assert [*schemes] == ["bearer"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert found["paths"]["/view/"]["post"]["security"] == [{"bearer": []}]


def test_a_resource_adds_the_scheme_of_access_tokens(resource: None) -> None:
    schemes = document(OAUTH2_SCOPES=SCOPES)["components"]["securitySchemes"]
    assert [*schemes] == ["bearer", "oauth2"]
    assert schemes["oauth2"]["type"] == "oauth2"
    assert "resource=https://api.example.com/v1" in schemes["oauth2"]["description"]
    assert schemes["oauth2"]["flows"] == {
        "authorizationCode": {
            "authorizationUrl": "https://auth.example.com/api/auth/oauth2/authorize",
            "tokenUrl": "https://auth.example.com/api/auth/oauth2/token",
            "refreshUrl": "https://auth.example.com/api/auth/oauth2/token",
            "scopes": SCOPES,
        }
    }


def test_an_operation_names_the_scopes_of_its_permissions(resource: None) -> None:
    operations = document()["paths"]["/view/"]
    security = {method: operation["security"] for method, operation in operations.items()}
    assert security == {
        "get": [{"bearer": []}, {"oauth2": ["read"]}],
        "post": [{"bearer": []}, {"oauth2": ["read", "write"]}],
        "put": [{"bearer": []}],  # no scope allows these
        "patch": [{"bearer": []}],
        "delete": [{"bearer": []}],
    }


def test_settings_of_drf_spectacular_name_other_addresses(resource: None) -> None:
    found = document(
        OAUTH2_AUTHORIZATION_URL="https://a.example",
        OAUTH2_TOKEN_URL="https://t.example",
        OAUTH2_SCOPES={},
    )
    flow = found["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]
    assert flow == {
        "authorizationUrl": "https://a.example",
        "tokenUrl": "https://t.example",
        "refreshUrl": "https://t.example",
        "scopes": {},
    }
