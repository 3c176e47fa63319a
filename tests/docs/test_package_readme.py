"""The recipes of ``authn/README.md`` that need no other project; tests/package has the others."""

from __future__ import annotations

import json
import re
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import include, path, resolve
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authn import JWTAuthentication
from authn.permissions import HasClaim, HasScope
from authn.testing import Issuer, Mint
from tests.support.pages import first_cells, read, section, texts

README = "authn/README.md"
RESOURCE = "https://api.example.com"
WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture(autouse=True)
def other_project(settings: Settings) -> None:
    """Configure DRF without the error format of this project."""
    settings.REST_FRAMEWORK = {"UNAUTHENTICATED_USER": "authn.users.AnonymousUser"}


class Notes(APIView):
    authentication_classes = [JWTAuthentication]
    throttle_classes = []

    def answer(self, request: Request, **_: Any) -> Response:
        return Response()

    get = post = delete = answer


def request_with(token: str | None, method: str = "GET") -> HttpRequest:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return RequestFactory().generic(method, "/", headers=headers)


def ask(permission: Any, token: str | None, method: str = "GET", **path: str) -> int:
    """Send a request to a view with this permission, and return the status."""
    view = Notes.as_view(permission_classes=[permission])
    return view(request_with(token, method), **path).status_code


def expression(part: str, **names: Any) -> Any:
    """Evaluate the one expression in the table of permissions that has this part."""
    [found] = (cell for cell in first_cells(section(README, "Permissions")) if part in cell)
    code = found.strip("`").replace("\\|", "|")  # Markdown needs the backslash
    return eval(code, {"HasClaim": HasClaim, "HasScope": HasScope, **names})


def recipe() -> dict[str, Any]:
    """Run the code below the table of permissions."""
    names: dict[str, Any] = {}
    [code] = texts(README, "python", "Permissions")
    exec(code, names)
    return names


@pytest.mark.parametrize(
    ("scope", "method", "status"),
    [
        ("notes:read", "GET", 200),
        ("notes:read", "HEAD", 200),
        ("notes:read", "OPTIONS", 200),
        ("notes:read", "POST", 403),
        ("notes:write", "POST", 200),
        ("notes:read notes:write", "DELETE", 403),
    ],
)
def test_scopes_limit_access_tokens_by_method(
    settings: Settings, issuer: Issuer, scope: str, method: str, status: int
) -> None:
    settings.OAUTH_RESOURCE = RESOURCE
    token = issuer.mint_access_token(resource=RESOURCE, scope=scope)
    assert ask(expression("HasScope"), token, method) == status


def test_scopes_do_not_limit_a_session(mint: Mint) -> None:
    assert ask(expression("HasScope"), mint(), "DELETE") == 200


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 200), (["user", "admin"], 200), ("user,admin", 403), (None, 403)]
)
def test_a_role_is_a_text_or_one_of_an_array(mint: Mint, role: Any, status: int) -> None:
    assert ask(expression("`HasClaim"), mint(role=role)) == status


@pytest.mark.parametrize(
    ("role", "method", "status"),
    [("user", "GET", 200), ("user", "POST", 403), ("admin", "GET", 200), ("admin", "POST", 200)],
)
def test_all_users_may_read_and_admins_may_write(
    mint: Mint, role: str, method: str, status: int
) -> None:
    permission = expression("ReadOnly", ReadOnly=recipe()["ReadOnly"])
    assert ask(permission, mint(role=role), method) == status
    assert ask(permission, None, method) == 401


@pytest.mark.parametrize(
    ("claim", "status"), [(["acme", "other"], 200), (["acme-2"], 403), ([], 403), (None, 403)]
)
def test_the_organization_of_the_path_is_one_of_the_claim(
    mint: Mint, claim: Any, status: int
) -> None:
    permission = recipe()["IsMember"]
    assert ask(permission, mint(organizations=claim), organization="acme") == status
    assert ask(permission, None, organization="acme") == 401


def test_an_admin_who_impersonates_a_user_is_seen(mint: Mint) -> None:
    def impersonated(token: str) -> Any:
        return expression("act", request=Notes().initialize_request(request_with(token)))

    assert impersonated(mint(act={"sub": "admin"})) is True
    assert impersonated(mint()) is False


def test_the_documented_route_leads_to_the_metadata(settings: Settings, rf: RequestFactory) -> None:
    settings.BETTER_AUTH_URL = "https://app.example.com"
    settings.OAUTH_RESOURCE = RESOURCE
    [route] = re.findall(r"`(path\(.*?\))`", section(README, "Other tokens"))
    urls = ModuleType("urls")
    urls.urlpatterns = [eval(route, {"path": path, "include": include})]  # type: ignore[attr-defined]
    view, arguments, keywords = resolve(WELL_KNOWN, urlconf=urls)  # type: ignore[arg-type]
    metadata = json.loads(view(rf.get(WELL_KNOWN), *arguments, **keywords).content)
    assert metadata["resource"] == RESOURCE
    assert metadata["scopes_supported"] == ["notes:read"]


def test_the_documented_claim_can_be_minted() -> None:
    [arguments] = re.findall("`mint_token (.*?)`", section(README, "Permissions"))
    printed = StringIO()
    call_command("mint_token", *arguments.split(), stdout=printed)
    assert ask(expression("`HasClaim"), printed.getvalue().strip()) == 200


def test_a_request_without_a_token_stays_401() -> None:
    assert ask(expression("HasScope"), None, "DELETE") == 401


def test_the_documented_access_token_passes(settings: Settings, issuer: Issuer) -> None:
    settings.OAUTH_RESOURCE = RESOURCE
    [call] = re.findall(r"`(issuer\.mint_access_token\(.*?\))`", section(README, "Tools"))
    token = eval(call, {"issuer": issuer, "settings": settings})
    assert ask(expression("HasScope"), token) == 200


def test_every_fixture_of_the_plug_in_is_named() -> None:
    [row] = (row for row in section(README, "Tools").splitlines() if row.startswith("| pytest "))
    [names] = re.findall("fixtures (.*?):", row)
    fixtures = re.findall(r"^def ([a-z]\w*)\(", read("authn/testing/fixtures.py"), re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", names)) == sorted(fixtures)
