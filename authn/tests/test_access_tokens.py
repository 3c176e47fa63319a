"""OAuth 2.1 access tokens (RFC 9068) of Better Auth's oauth-provider plug-in."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from authn import verify
from authn.exceptions import (
    AudienceMismatch,
    ClaimInvalid,
    ClaimMissing,
    IssuerMismatch,
    SignatureInvalid,
    SubjectInvalid,
    SubjectNotUser,
    TokenBound,
    TokenExpired,
    TokenRejected,
    TypeUnsupported,
)
from authn.testing import Issuer, Mint
from authn.tests.language import RESOURCE, Grant

USERINFO = "https://auth.example.com/api/auth/oauth2/userinfo"


def refusal_of(token: str) -> type[TokenRejected]:
    with pytest.raises(TokenRejected) as caught:
        verify(token)
    return type(caught.value)


def test_an_access_token_has_its_scopes(grant: Grant) -> None:
    claims = verify(grant("openid todos:read"))
    assert claims.subject == "alice"
    assert claims.scopes == frozenset({"openid", "todos:read"})


@pytest.mark.parametrize("scope", [None, "", " "], ids=repr)
def test_an_access_token_without_a_scope_may_do_nothing(grant: Grant, scope: str | None) -> None:
    assert verify(grant(scope)).scopes == frozenset()


def test_a_token_of_a_session_has_no_limit(grant: Grant, issuer: Issuer, mint: Mint) -> None:
    assert verify(issuer.mint(scope="todos:read")).scopes is None
    assert verify(mint(scope="todos:read")).scopes is None


@pytest.mark.parametrize("typ", ["AT+JWT", "application/at+jwt", "Application/AT+JWT"])
def test_the_type_is_compared_without_regard_to_case(grant: Grant, typ: str) -> None:
    assert verify(grant(header={"typ": typ})).scopes == frozenset({"todos:read"})


@pytest.mark.parametrize("aud", [RESOURCE, [RESOURCE], [RESOURCE, USERINFO], [USERINFO, RESOURCE]])
def test_the_audience_is_the_resource_beside_userinfo_alone(grant: Grant, aud: Any) -> None:
    assert verify(grant(aud=aud))


def test_without_a_base_url_userinfo_is_below_the_issuer(grant: Grant, settings: Settings) -> None:
    settings.BETTER_AUTH_JWKS_URL = "https://auth.example.com/api/auth/jwks"
    settings.BETTER_AUTH_ISSUER = "https://auth.example.com/api/auth"
    settings.BETTER_AUTH_AUDIENCE = ["https://auth.example.com"]
    settings.BETTER_AUTH_URL = ""
    assert verify(grant(aud=[RESOURCE, USERINFO]))


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"aud": USERINFO}, AudienceMismatch),
        ({"aud": "https://auth.example.com"}, AudienceMismatch),  # of a session's token
        ({"aud": RESOURCE + "/"}, AudienceMismatch),
        ({"aud": RESOURCE.upper()}, AudienceMismatch),
        ({"aud": [RESOURCE, "https://other.example.com"]}, AudienceMismatch),
        ({"aud": [RESOURCE, USERINFO, "https://other.example.com"]}, AudienceMismatch),
        ({"aud": [RESOURCE, "https://evil.example/api/auth/oauth2/userinfo"]}, AudienceMismatch),
        ({"aud": [RESOURCE, 1]}, ClaimInvalid),
        ({"aud": []}, AudienceMismatch),
        ({"aud": None}, ClaimMissing),
        ({"iss": "https://auth.example.com"}, IssuerMismatch),  # of a session's token
        ({"iss": "https://auth.example.com/api/auth/"}, IssuerMismatch),
        ({"iss": None}, ClaimMissing),
        ({"sub": "client"}, SubjectNotUser),
        ({"sub": "client", "azp": None}, SubjectNotUser),
        ({"sub": "client", "client_id": None}, SubjectNotUser),
        ({"sub": "client", "azp": "another"}, SubjectNotUser),
        ({"client_id": None, "azp": None}, ClaimMissing),
        ({"client_id": ["alice"], "azp": None}, ClaimInvalid),
        ({"client_id": 1}, ClaimInvalid),
        ({"sub": None}, ClaimMissing),
        ({"sub": ""}, SubjectInvalid),
        ({"scope": ["todos:read"]}, ClaimInvalid),
        ({"scope": {"todos:read": True}}, ClaimInvalid),
        ({"scope": 1}, ClaimInvalid),
        ({"exp": None}, ClaimMissing),
        ({"exp": 1}, TokenExpired),
        ({"jti": 1}, ClaimInvalid),
        ({"cnf": {"jkt": "thumbprint"}}, TokenBound),
    ],
    ids=repr,
)
def test_a_wrong_claim_refuses_an_access_token(
    grant: Grant, claims: dict[str, Any], error: type[TokenRejected]
) -> None:
    assert refusal_of(grant(**claims)) is error


@pytest.mark.parametrize(
    "scope", ["todos:read\ttodos:write", "todos:read,todos:write", "TODOS:READ"]
)
def test_scopes_are_parted_by_spaces_and_compared_by_case(grant: Grant, scope: str) -> None:
    assert verify(grant(scope)).scopes == frozenset({scope})


@pytest.mark.parametrize(
    "typ", ["at+jwt ", "xat+jwt", "application/application/at+jwt", "id_token", "logout+jwt", 1]
)
def test_another_type_stays_refused(grant: Grant, typ: Any) -> None:
    assert refusal_of(grant(header={"typ": typ})) is TypeUnsupported


def test_an_id_token_is_refused(grant: Grant, issuer: Issuer) -> None:
    base_url = f"{issuer.url}/api/auth"
    assert refusal_of(issuer.mint(iss=base_url, aud="client")) is IssuerMismatch
    assert refusal_of(issuer.mint(iss=issuer.url, aud="client")) is AudienceMismatch


def test_an_access_token_without_its_type_is_refused(grant: Grant) -> None:
    assert refusal_of(grant(header={"typ": None})) is IssuerMismatch


def test_a_token_of_a_session_with_the_type_of_access_tokens_is_refused(
    grant: Grant, issuer: Issuer
) -> None:
    assert refusal_of(issuer.mint(header={"typ": "at+jwt"})) is IssuerMismatch


def test_the_secret_signs_no_access_token(grant: Grant, mint: Mint, issuer: Issuer) -> None:
    claims = {"iss": f"{issuer.url}/api/auth", "aud": RESOURCE, "client_id": "client"}
    assert refusal_of(mint(header={"typ": "at+jwt"}, **claims)) is TypeUnsupported


def test_the_scopes_of_another_token_do_not_fit_its_signature(grant: Grant) -> None:
    header, _, signature = grant("todos:read").split(".")
    _, payload, _ = grant("todos:write").split(".")
    assert refusal_of(f"{header}.{payload}.{signature}") is SignatureInvalid


def test_without_a_resource_an_access_token_is_refused(grant: Grant, settings: Settings) -> None:
    token = grant()
    settings.OAUTH_RESOURCE = ""
    assert refusal_of(token) is TypeUnsupported


def test_the_issuer_can_be_named(grant: Grant, settings: Settings) -> None:
    settings.BETTER_AUTH_ISSUER = "https://login.example.com"
    assert verify(grant(iss="https://login.example.com"))
    assert refusal_of(grant()) is IssuerMismatch


def test_a_remembered_access_token_keeps_its_scopes(grant: Grant) -> None:
    token = grant()
    assert verify(token).scopes == verify(token).scopes == frozenset({"todos:read"})
