"""The metadata of a protected resource (RFC 9728)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import Http404, HttpRequest
from django.test import RequestFactory
from django.urls import get_resolver, include, path
from pytest_django import Settings

from authn.conf import AuthnConfig
from authn.exceptions import NotConfigured

WELL_KNOWN = "/.well-known/oauth-protected-resource"
urlpatterns = [path("", include("authn.urls"))]


@pytest.fixture(autouse=True)
def _project(settings: Settings) -> None:
    settings.BETTER_AUTH_URL = "https://auth.example.com"
    settings.ROOT_URLCONF = __name__


def ask(url: str, method: str = "GET", *, script_name: str = "") -> Any:
    """Send a request to the view that has the URL, without any middleware."""
    request: HttpRequest = RequestFactory(SCRIPT_NAME=script_name).generic(method, url)
    view, arguments, options = get_resolver().resolve(request.path_info)
    return view(request, *arguments, **options)


def json_of(response: Any) -> Any:
    return json.loads(response.content)


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        ("https://api.example.com", WELL_KNOWN),
        ("https://api.example.com/", WELL_KNOWN),
        ("https://api.example.com/", f"{WELL_KNOWN}/"),
        ("https://api.example.com/v1", f"{WELL_KNOWN}/v1"),
        ("https://api.example.com/v1", WELL_KNOWN),  # where some clients look second
        ("https://api.example.com/v1/todos", f"{WELL_KNOWN}/v1/todos"),
        ("https://api.example.com/v1/", f"{WELL_KNOWN}/v1/"),
        ("https://api.example.com/%C3%BC", f"{WELL_KNOWN}/%C3%BC"),
    ],
)
def test_the_document_is_at_the_path_of_the_resource(
    settings: Settings, resource: str, url: str
) -> None:
    settings.OAUTH_RESOURCE = resource
    response = ask(url)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert json_of(response) == {
        "resource": resource,
        "authorization_servers": ["https://auth.example.com/api/auth"],
        "bearer_methods_supported": ["header"],
    }


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("https://api.example.com", ""),
        ("https://API.example.com:443/", ""),
        ("https://api.example.com/v1/", "/v1"),
    ],
)
def test_the_challenge_has_the_url_of_the_document(
    settings: Settings, resource: str, path: str
) -> None:
    settings.OAUTH_RESOURCE = resource
    url = AuthnConfig().resource_metadata_url
    assert url == f"https://api.example.com{WELL_KNOWN}{path}"
    assert ask(url).status_code == 200


def test_the_project_names_its_scopes_in_its_urls(settings: Settings) -> None:
    settings.OAUTH_RESOURCE = "https://api.example.com"
    included = include("authn.urls")
    settings.ROOT_URLCONF = (path("", included, {"scopes": ["read", "write"]}),)
    assert json_of(ask(WELL_KNOWN))["scopes_supported"] == ["read", "write"]


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        ("", WELL_KNOWN),
        ("", f"{WELL_KNOWN}/v1"),
        ("https://api.example.com/v1", f"{WELL_KNOWN}/v2"),
        ("https://api.example.com/v1", f"{WELL_KNOWN}/v1/todos"),
        ("https://api.example.com/v1", f"{WELL_KNOWN}//v1"),
        ("https://api.example.com/v1", f"{WELL_KNOWN}/V1"),
        ("https://api.example.com", f"{WELL_KNOWN}/v1"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_the_metadata_of_another_path_is_404(
    settings: Settings, method: str, resource: str, url: str
) -> None:
    settings.OAUTH_RESOURCE = resource
    with pytest.raises(Http404):
        ask(url, method)


@pytest.mark.parametrize("resource", [None, "api.example.com", ["https://api.example.com"]])
def test_a_mistake_in_the_settings_is_never_shown_as_metadata(
    settings: Settings, resource: Any
) -> None:
    settings.OAUTH_RESOURCE = resource
    with pytest.raises(NotConfigured, match="OAUTH_RESOURCE"):
        ask(WELL_KNOWN)


@pytest.mark.parametrize(
    "url", [f"{WELL_KNOWN}x", f"/v1{WELL_KNOWN}", "/xwell-known/oauth-protected-resource"]
)
def test_the_metadata_has_no_address_beside_its_own(settings: Settings, url: str) -> None:
    settings.OAUTH_RESOURCE = "https://api.example.com"
    with pytest.raises(Http404):
        ask(url)


def test_the_prefix_of_a_mounted_application_does_not_count(settings: Settings) -> None:
    settings.OAUTH_RESOURCE = "https://api.example.com/v1"
    assert ask(f"{WELL_KNOWN}/v1", script_name="/v1").status_code == 200


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("POST", 405), ("PUT", 405), ("DELETE", 405)],
)
def test_the_metadata_can_only_be_read(settings: Settings, method: str, status: int) -> None:
    settings.OAUTH_RESOURCE = "https://api.example.com"
    assert ask(WELL_KNOWN, method).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_page_of_any_origin_can_read_the_metadata(settings: Settings, method: str) -> None:
    settings.OAUTH_RESOURCE = "https://api.example.com"
    response = ask(WELL_KNOWN, method)
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Allow-Headers"] == "*"
    assert "Access-Control-Allow-Credentials" not in response


def test_the_metadata_needs_no_login(settings: Settings) -> None:
    """``LoginRequiredMiddleware`` asks the view."""
    view, _, _ = get_resolver().resolve(WELL_KNOWN)
    assert not getattr(view, "login_required", True)
