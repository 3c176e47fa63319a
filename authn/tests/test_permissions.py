"""Permissions by scopes and by claims."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import IntegerChoices, TextChoices
from rest_framework.permissions import AllowAny, IsAuthenticated

from authn import JWTAuthentication
from authn.permissions import METHODS, HasClaim, HasScope
from authn.testing import Mint
from authn.tests.language import Grant
from authn.tests.views import InSession, ask

pytestmark = pytest.mark.usefixtures("drf")

BY_METHOD = HasScope.of({"GET": ["read"], "POST": ["read", "write"], "DELETE": "admin"})
READ, WRITE = HasScope.of("read"), HasScope.of("write")


class Role(TextChoices):
    ADMIN = "admin"


class Level(IntegerChoices):
    ADMIN = 1


def outcome(response: Any) -> str:
    """The status, and the scopes of the challenge: ``"403 read write"``."""
    challenge = response.get("WWW-Authenticate", "")
    _, _, scope = challenge.partition('error="insufficient_scope", scope=')
    return f"{response.status_code} {scope}".replace('"', "").strip()


class TestHasScope:
    @pytest.mark.parametrize(
        ("method", "scope", "expected"),
        [
            ("GET", "read", "200"),
            ("GET", "other read", "200"),
            ("GET", "write", "403 read"),
            ("GET", "Read", "403 read"),
            ("GET", "", "403 read"),
            ("HEAD", "read", "200"),
            ("HEAD", "write", "403 read"),
            ("OPTIONS", "read", "200"),
            ("OPTIONS", "write", "403 read"),
            ("POST", "read write", "200"),
            ("POST", "write", "403 read write"),
            ("POST", "read", "403 read write"),
            ("DELETE", "admin", "200"),
            ("DELETE", "a d m i n", "403 admin"),
            ("PUT", "read write admin", "403"),
            ("PATCH", "read write admin", "403"),
            ("TRACE", "read write admin", "403"),
            ("PURGE", "read write admin", "403"),
        ],
    )
    def test_each_method_needs_its_scopes(
        self, grant: Grant, method: str, scope: str, expected: str
    ) -> None:
        response = ask(grant(scope), method=method, permission_classes=[BY_METHOD])
        assert outcome(response) == expected

    @pytest.mark.parametrize("method", [*sorted(METHODS - {"TRACE"})])
    def test_scopes_alone_are_for_every_method(self, grant: Grant, method: str) -> None:
        both = HasScope.of("read", "write")
        view: Any = {"method": method, "permission_classes": [both]}
        assert ask(grant("read write"), **view).status_code == 200
        assert outcome(ask(grant("read"), **view)) == "403 read write"

    def test_head_and_options_may_have_scopes_of_their_own(self, grant: Grant) -> None:
        permission = HasScope.of({"GET": "read", "HEAD": "head", "OPTIONS": "options"})
        for method in ("HEAD", "OPTIONS"):
            token = grant(method.lower())
            assert ask(token, method=method, permission_classes=[permission]).status_code == 200

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_without_get_neither_head_nor_options_is_allowed(
        self, grant: Grant, method: str
    ) -> None:
        permission = HasScope.of({"POST": "read"})
        response = ask(grant("read"), method=method, permission_classes=[permission])
        assert response.status_code == 403

    def test_a_refusal_names_the_scope_and_where_to_get_it(self, grant: Grant) -> None:
        response = ask(grant(""), permission_classes=[IsAuthenticated, READ])
        assert response.data == {"detail": "The token lacks the scope read."}
        assert response.data["detail"].code == "insufficient_scope"
        assert response["WWW-Authenticate"] == (
            'Bearer realm="api", '
            'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/v1", '
            'error="insufficient_scope", scope="read"'
        )

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    @pytest.mark.parametrize("scope", [None, "", "other"])
    def test_the_token_of_a_session_has_no_limit(
        self, mint: Mint, method: str, scope: str | None
    ) -> None:
        token = mint(scope=scope)
        assert ask(token, method=method, permission_classes=[BY_METHOD]).status_code == 200

    def test_a_user_of_another_authenticator_has_no_limit(self, grant: Grant) -> None:
        view: Any = {
            "authentication_classes": [JWTAuthentication, InSession],
            "permission_classes": [READ],
        }
        assert ask(**view).data == {"id": "from a session"}
        assert outcome(ask(grant(""), **view)) == "403 read"

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("",),
            ("two scopes",),
            ('"',),
            (["read"],),
            (7,),
            (None,),
            ({},),
            ({"GET": []},),
            ({"GET": ""},),
            ({"GET": [""]},),
            ({"GET": ["read", 7]},),
            ({"GET": "two scopes"},),
            ({"get": ["read"]},),
            ({"FETCH": ["read"]},),
            ({"*": ["read"]},),
            ({"GET": ["read"]}, "write"),
        ],
        ids=repr,
    )
    def test_a_mistake_is_an_error_at_import(self, arguments: Any) -> None:
        with pytest.raises(ValueError, match=r"HasScope\.of\(\)"):
            HasScope.of(*arguments)

    def test_without_scopes_the_class_admits_no_access_token(self, grant: Grant) -> None:
        with pytest.raises(AttributeError, match="scopes"):
            ask(grant("read"), permission_classes=[HasScope])


class TestHasClaim:
    @pytest.mark.parametrize(
        ("value", "claim", "status"),
        [
            ("admin", "admin", 200),
            ("admin", ["user", "admin"], 200),
            ("admin", "Admin", 403),
            ("admin", "user,admin", 403),
            ("admin", "administrator", 403),
            ("admin", ["administrator"], 403),
            ("admin", [["admin"]], 403),
            ("admin", {"admin": True}, 403),
            ("admin", [], 403),
            ("admin", None, 403),
            (True, True, 200),
            (True, 1, 403),
            (True, "true", 403),
            (1, 1, 200),
            (1, 1.0, 200),
            (1, True, 403),
            (1, "1", 403),
            (0, False, 403),
            (False, 0, 403),
            (False, None, 403),
            (0, [None], 403),
        ],
    )
    def test_the_claim_equals_or_contains_the_value(
        self, mint: Mint, value: Any, claim: Any, status: int
    ) -> None:
        permission = HasClaim.of("role", value)
        assert ask(mint(role=claim), permission_classes=[permission]).status_code == status

    @pytest.mark.parametrize("value", [Role.ADMIN, Level.ADMIN])
    def test_a_choice_of_django_is_its_value(self, mint: Mint, value: Any) -> None:
        permission = HasClaim.of("role", value)
        assert ask(mint(role=value.value), permission_classes=[permission]).status_code == 200
        assert ask(mint(role=True), permission_classes=[permission]).status_code == 403

    def test_a_user_of_another_authenticator_has_no_claims(self, mint: Mint) -> None:
        view: Any = {
            "authentication_classes": [JWTAuthentication, InSession],
            "permission_classes": [HasClaim.of("role", "admin")],
        }
        assert ask(**view).status_code == 403
        assert ask(mint(role="admin"), **view).status_code == 200

    @pytest.mark.parametrize(
        "arguments",
        [
            ("", "admin"),
            ("role", ""),
            ("role", None),
            ("role", ["admin"]),
            ("role", 1.5),
            (None, "admin"),
        ],
        ids=repr,
    )
    def test_a_mistake_is_an_error_at_import(self, arguments: Any) -> None:
        with pytest.raises(ValueError, match=r"HasClaim\.of\(\)"):
            HasClaim.of(*arguments)

    def test_without_a_claim_the_class_admits_nobody(self, mint: Mint) -> None:
        with pytest.raises(AttributeError, match="name"):
            ask(mint(), permission_classes=[HasClaim])


PERMISSIONS = {
    "scope": READ,
    "scope by method": BY_METHOD,
    "claim": HasClaim.of("role", "admin"),
    "and": READ & HasClaim.of("role", "admin"),
    "or": READ | HasClaim.of("role", "admin"),
}


@pytest.mark.parametrize("permission", PERMISSIONS.values(), ids=PERMISSIONS)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_anonymous_request_gets_401_first(permission: Any, method: str) -> None:
    response = ask(method=method, permission_classes=[permission])
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    refused = ask("x", method=method, permission_classes=[permission])
    assert refused.status_code == 401


class TestComposition:
    @pytest.mark.parametrize(
        ("permission", "scope", "status"),
        [
            (READ & WRITE, "read write", 200),
            (READ & WRITE, "read", 403),
            (READ & WRITE, "write", 403),
            (READ | WRITE, "write", 200),
            (READ | WRITE, "read", 200),
            (READ | WRITE, "other", 403),
            ((READ & WRITE) | HasScope.of("all"), "all", 200),
            (IsAuthenticated & READ, "write", 403),
            (~READ, "write", 200),
            (READ | AllowAny, "write", 200),
            (READ | HasClaim.of("scope", "write"), "write", 200),
        ],
    )
    def test_operators_decide_as_with_other_permissions(
        self, grant: Grant, permission: Any, scope: str, status: int
    ) -> None:
        assert ask(grant(scope), permission_classes=[permission]).status_code == status

    def test_permissions_in_a_list_are_all_needed(self, grant: Grant) -> None:
        view: Any = {"permission_classes": [IsAuthenticated, READ, WRITE]}
        assert outcome(ask(grant("read write"), **view)) == "200"
        assert outcome(ask(grant("read"), **view)) == "403 write"
        assert outcome(ask(grant("write"), **view)) == "403 read"
