"""Authentication in DRF: users, challenges and codes under DRF's own exception handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404
from django.utils.functional import SimpleLazyObject
from pytest_django import Settings
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import WrappedAttributeError

from authn import JWTAuthentication
from authn.claims import Claims
from authn.exceptions import KeysUnavailable, SubjectInvalid, TokenRejected
from authn.testing import Issuer, Mint
from authn.tests.views import InSession, ask
from authn.users import AnonymousUser

pytestmark = pytest.mark.usefixtures("drf")

METADATA_URL = "https://api.example.com/.well-known/oauth-protected-resource/v1"


@dataclass
class User:
    pk: str
    is_authenticated: bool = True
    is_active: bool = True


@pytest.fixture
def resolve(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let this function resolve users: ``resolve(lambda claims: …)``."""

    def resolve(resolver: Callable[[Claims], Any]) -> None:
        monkeypatch.setitem(globals(), "resolver", resolver)
        settings.BETTER_AUTH_USER_RESOLVER = f"{__name__}.resolver"

    return resolve


def raising(error: Exception) -> Callable[[Claims], Any]:
    def resolver(claims: Claims) -> Any:
        raise error

    return resolver


class TestChallenges:
    def test_a_request_without_a_token_is_told_the_realm(self, settings: Settings) -> None:
        assert ask()["WWW-Authenticate"] == 'Bearer realm="api"'
        settings.BETTER_AUTH_REALM = "todos"
        assert ask()["WWW-Authenticate"] == 'Bearer realm="todos"'

    def test_a_refusal_has_its_reason(self, mint: Mint) -> None:
        response = ask(mint(exp=1))
        assert (response.status_code, response.data) == (401, {"detail": "The token has expired."})
        assert response["WWW-Authenticate"] == (
            'Bearer realm="api", error="invalid_token", '
            'error_description="The token has expired.", error_code="token_expired"'
        )

    def test_each_401_says_where_the_metadata_is(self, settings: Settings, mint: Mint) -> None:
        settings.BETTER_AUTH_URL = "https://auth.example.com"
        settings.OAUTH_RESOURCE = "https://api.example.com/v1"
        start = f'Bearer realm="api", resource_metadata="{METADATA_URL}"'
        assert ask()["WWW-Authenticate"] == start
        assert ask("x")["WWW-Authenticate"].startswith(f'{start}, error="invalid_token"')

    def test_a_refusal_without_the_first_place_is_403_without_a_challenge(self) -> None:
        """DRF asks the first authenticator for the challenge."""

        class Anonymous(InSession):
            def authenticate(self, request: Any) -> None:  # type: ignore[override]
                return None

        response = ask("x", authentication_classes=[Anonymous, JWTAuthentication])
        assert response.status_code == 403
        assert "WWW-Authenticate" not in response

    def test_the_challenge_of_another_authenticator_gets_no_reason(self) -> None:
        classes = [BasicAuthentication, JWTAuthentication]
        response = ask("x", authentication_classes=classes)
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Basic realm="api"')

    def test_keys_that_cannot_be_had_are_503(self, issuer: Issuer) -> None:
        issuer.broken = True
        response = ask(issuer.mint())
        assert (response.status_code, response["Retry-After"]) == (503, "10")
        assert "WWW-Authenticate" not in response


class TestResolver:
    def test_the_user_is_the_subject_without_a_resolver(self, mint: Mint) -> None:
        assert ask(mint(sub="ada")).data == {"id": "ada"}

    def test_the_resolver_makes_the_user_of_the_claims(
        self, mint: Mint, resolve: Callable[..., None]
    ) -> None:
        resolve(lambda claims: User(pk=f"{claims.subject} {claims.payload['team']}"))
        assert ask(mint(sub="ada", team="blue")).data == {"id": "ada blue"}

    @pytest.mark.parametrize(
        "user",
        [
            None,
            False,
            SimpleLazyObject(lambda: None),
            User("ada", is_active=False),
            AnonymousUser(),
        ],
        ids=["None", "False", "lazy None", "inactive", "anonymous"],
    )
    @pytest.mark.parametrize("permission", [[], [AllowAny]], ids=["none", "AllowAny"])
    def test_a_token_without_an_active_user_is_refused(
        self, mint: Mint, resolve: Callable[..., None], user: Any, permission: list[Any]
    ) -> None:
        resolve(lambda claims: user)
        response = ask(mint(), permission_classes=permission)
        assert response.status_code == 401
        assert 'error_code="user_refused"' in response["WWW-Authenticate"]

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (SubjectInvalid(), 401),
            (AuthenticationFailed(), 401),
            (PermissionDenied(), 403),
            (DjangoPermissionDenied(), 403),
            (Http404(), 404),
            (Throttled(wait=7), 429),
            (KeysUnavailable(retry_after_seconds=7), 503),
        ],
        ids=repr,
    )
    def test_an_error_of_this_package_of_drf_or_django_is_the_answer(
        self, mint: Mint, resolve: Callable[..., None], error: Exception, status: int
    ) -> None:
        resolve(raising(error))
        assert ask(mint(), permission_classes=[AllowAny]).status_code == status

    def test_a_reason_of_the_project_reaches_the_client(
        self, mint: Mint, resolve: Callable[..., None]
    ) -> None:
        reason: Any = TokenRejected()
        reason.code, reason.detail = "custom", 'Größe "\n'
        resolve(raising(reason))
        assert ask(mint())["WWW-Authenticate"] == (
            'Bearer realm="api", error="invalid_token", '
            'error_description="Gr??e ??", error_code="custom"'
        )

    @pytest.mark.parametrize(
        ("error", "crash"),
        [
            (ObjectDoesNotExist(), ObjectDoesNotExist),
            (KeyError("x"), KeyError),
            (TypeError("x"), TypeError),
            (AttributeError("x"), WrappedAttributeError),  # DRF's
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("permission", [[], [AllowAny]], ids=["none", "AllowAny"])
    def test_any_other_error_crashes_and_never_lets_in(
        self,
        mint: Mint,
        resolve: Callable[..., None],
        error: Exception,
        crash: type[Exception],
        permission: list[Any],
    ) -> None:
        resolve(raising(error))
        with pytest.raises(crash):
            ask(mint(), permission_classes=permission)
