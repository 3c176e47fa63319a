"""Authentication of requests to the real API."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from authn.conf import get_verifier
from authn.exceptions import NotConfigured
from authn.testing import Bearer, Issuer, Mint
from authn.users import TokenUser


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER {}", " bEaReR   {}  "])
def test_case_and_spaces_around_the_token_are_ignored(
    client: Client, mint: Mint, form: str
) -> None:
    response = client.get("/api/me/", headers={"authorization": form.format(mint())})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Basic YWxpY2U6cGFzc3dvcmQ=", "Token abc", "Bearerabc", "\u00a0Bearer abc"]
)
def test_a_request_without_a_bearer_token_is_anonymous(client: Client, header: str) -> None:
    response = client.get("/api/me/", headers={"authorization": header} if header else {})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="todos"'
    assert response.json()["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "credentials", ["", "abc", "a b", "a,b", "Bearer x", "\x00", "é", "\u00a0a.b.c"]
)
def test_bearer_credentials_that_are_not_a_token_are_malformed(
    client: Client, credentials: str
) -> None:
    response = client.get("/api/me/", headers={"authorization": f"Bearer {credentials}"})
    assert (response.status_code, response.json()["code"]) == (401, "token_malformed")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"jti": 7}, "claim_invalid"),
        ({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, "token_bound"),
        ({"header": {"typ": "at+jwt"}, "scope": "todos:read"}, "type_unsupported"),
    ],
    ids=["jti", "cnf", "at+jwt"],
)
def test_a_token_that_is_not_a_plain_bearer_token_is_refused(
    mint: Mint, bearer: Bearer, claims: dict[str, Any], code: str
) -> None:
    response = bearer(mint(**claims)).delete("/api/todos/00000000-0000-4000-8000-000000000000/")
    assert (response.status_code, response.json()["code"]) == (401, code)
    assert 'error="invalid_token"' in response["WWW-Authenticate"]


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "jwt"])
def test_a_token_outside_the_header_is_ignored(client: Client, mint: Mint, name: str) -> None:
    client.cookies[name] = mint()
    response = client.post(f"/api/todos/?{name}={mint()}", {name: mint(), "title": "x"})
    assert response.status_code == 401


@pytest.mark.parametrize("name", ["X-User-Id", "X-Forwarded-User", "Remote-User", "X-Owner-Id"])
def test_another_header_never_selects_the_user(client: Client, mint: Mint, name: str) -> None:
    assert client.get("/api/me/", headers={name: "alice"}).status_code == 401
    both = {name: "bob", "authorization": f"Bearer {mint(sub='alice')}"}
    assert client.get("/api/me/", headers=both).json()["id"] == "alice"


def test_a_refusal_has_a_code_and_a_fixed_text(client: Client, mint: Mint, bearer: Bearer) -> None:
    response = bearer(mint(exp=1)).get("/api/me/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == (
        'Bearer realm="todos", error="invalid_token", error_description="The token has expired."'
    )
    assert response.json()["code"] == "token_expired"
    assert response.json()["detail"] == "The token has expired."


def test_a_refusal_logs_its_code_and_no_part_of_the_token(
    mint: Mint, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    token = mint(sub="somebody-secret", exp=1)
    with caplog.at_level(logging.DEBUG):
        bearer(token).get("/api/me/")
    assert [
        record.getMessage() for record in caplog.records if record.name == "authn.authentication"
    ] == ["Token refused: token_expired"]
    for part in [*token.split("."), "somebody-secret"]:
        assert part not in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["garbage", None], ids=["refused", "absent"])
def test_a_refused_request_runs_no_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, token: str | None
) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with django_assert_num_queries(0):
        assert client.get("/api/todos/", headers=headers).status_code == 401


def test_claims_grant_no_privilege(mint: Mint) -> None:
    token = mint(is_staff=True, is_superuser=True, is_active=False, role="admin", id="root")
    user = TokenUser.from_claims(get_verifier().verify(token))
    assert (user.pk, user.is_active) == ("alice", True)
    assert not user.is_staff
    assert not user.is_superuser


def test_unavailable_keys_are_503_with_retry_after(
    issuer: Issuer, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.broken = True
    response = bearer(issuer.mint()).get("/api/me/")
    assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == [
        "The key set was not refreshed: the issuer cannot be reached",
        "Token not verified: keys_unavailable",
    ]
    assert response.status_code == 503
    assert response["Retry-After"] == "10"
    assert response.json()["code"] == "keys_unavailable"
    assert "WWW-Authenticate" not in response


def test_tokens_of_key_set_and_secret_are_accepted_at_once(
    issuer: Issuer, mint: Mint, bearer: Bearer
) -> None:
    assert bearer(issuer.mint(sub="alice")).get("/api/me/").json()["id"] == "alice"
    assert bearer(mint(sub="bob")).get("/api/me/").json()["id"] == "bob"


@pytest.mark.parametrize("has_token", [True, False], ids=["token", "anonymous"])
def test_without_configuration_a_request_is_500_without_details(
    settings: Settings, mint: Mint, has_token: bool
) -> None:
    settings.BETTER_AUTH_SECRET = ""
    client = Client(raise_request_exception=False)
    headers = {"authorization": f"Bearer {mint()}"} if has_token else {}
    response = client.get("/api/me/", headers=headers)
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "BETTER_AUTH" not in response.content.decode()
    with pytest.raises(NotConfigured, match="BETTER_AUTH_URL"):
        get_verifier()
