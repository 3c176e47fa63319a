"""Access tokens with scopes: every route x every method, and what a client finds on its way."""

from __future__ import annotations

import copy
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from api.owned.registry import Resource
from api.throttling import throttles
from authn.testing import Bearer, Clock, Issuer, Mint
from tests.support.documented import OPENAPI
from tests.support.oauth import (
    METADATA_URL,
    READ,
    READING,
    RESOURCE,
    WRITE,
    Grant,
    access_token,
    challenge,
    needed,
    useless,
)
from tests.support.problems import problem, without_instance
from tests.support.routes import (
    CASES,
    CASES_ABOUT_ONE_ROW,
    ROUTES,
    ask,
    every_case,
    every_resource,
    make_row_for,
)
from tests.support.rows import make_row

pytestmark = pytest.mark.django_db

ME = "/api/me/"
TODOS = "/api/todos/"
WELL_KNOWN = "/.well-known/oauth-protected-resource"
APP = "https://app.example.com"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class TestScopes:
    @every_case(CASES)
    def test_the_scope_of_a_method_is_enough(self, grant: Grant, route: str, method: str) -> None:
        response = ask(grant(needed(method)), method, route, make_row_for(route).pk)
        assert response.status_code == ROUTES[route].answers.get(method, 405)

    @every_case(CASES)
    def test_no_other_scope_is_enough(self, grant: Grant, route: str, method: str) -> None:
        row = make_row_for(route)
        before = type(row).objects.values().get()
        client = grant(useless(method), "openid", "todos", f"{needed(method)}x")
        with CaptureQueriesContext(connection) as queries:
            response = ask(client, method, route, row.pk)
        assert response.status_code == 403
        assert response["WWW-Authenticate"] == challenge(needed(method))
        if method != "HEAD":
            assert problem(response, 403, "insufficient_scope")["detail"]
        assert not queries.captured_queries
        assert type(row).objects.values().get() == before

    @every_case(CASES_ABOUT_ONE_ROW)
    def test_without_a_scope_own_foreign_and_missing_rows_are_the_same(
        self, grant: Grant, route: str, method: str
    ) -> None:
        own, foreign = make_row_for(route), make_row_for(route, owner_id="bob")
        client = grant(useless(method))
        answers = [ask(client, method, route, pk) for pk in (own.pk, foreign.pk, uuid.uuid4())]
        assert {answer.status_code for answer in answers} == {403}
        if method != "HEAD":
            first, *others = (without_instance(answer.json()) for answer in answers)
            assert others == [first, first]
        assert {answer["WWW-Authenticate"] for answer in answers} == {challenge(needed(method))}

    @every_case(CASES_ABOUT_ONE_ROW)
    def test_both_scopes_open_no_row_of_another_user(
        self, grant: Grant, route: str, method: str
    ) -> None:
        response = ask(grant(READ, WRITE, sub="bob"), method, route, make_row_for(route).pk)
        assert response.status_code == 403
        assert "WWW-Authenticate" not in response
        if method != "HEAD":
            problem(response, 403, "permission_denied")

    @every_resource
    def test_a_client_sees_what_its_user_sees(
        self, grant: Grant, alice: Client, resource: Resource
    ) -> None:
        make_row(resource.view.model)
        make_row(resource.view.model, owner_id="bob")
        assert len(alice.get(resource.path).json()["results"]) == 1
        assert grant(READ).get(resource.path).json() == alice.get(resource.path).json()

    @pytest.mark.parametrize("scope", ["", READ, "openid"])
    def test_no_claim_limits_the_token_of_a_session(
        self, oauth: None, issuer: Issuer, mint: Mint, bearer: Bearer, scope: str
    ) -> None:
        for token in (issuer.mint(scope=scope), mint(scope=scope, client_id="agent")):
            assert bearer(token).post(TODOS, {"title": "x"}, "application/json").status_code == 201

    @pytest.mark.parametrize("scope", [READ, "openid", ""])
    def test_a_stored_answer_needs_the_scope_of_its_method(self, grant: Grant, scope: str) -> None:
        headers = {"idempotency-key": "k"}
        first = grant(WRITE).post(TODOS, {"title": "x"}, "application/json", headers=headers)
        assert first.status_code == 201
        again = grant(scope).post(TODOS, {"title": "x"}, "application/json", headers=headers)
        problem(again, 403, "insufficient_scope")
        assert "Idempotency-Replayed" not in again


HOSTILE_SCOPES: list[Any] = [
    "todos:readtodos:write",
    "todos:read,todos:write",
    "todos:read\ttodos:write",
    "todos:read\ntodos:write",
    "todos:read\u00a0todos:write",
    "todos:read\x00 todos:write\x00",
    "Todos:Read TODOS:WRITE",
    "todos:\uff52ead todos:\uff57rite",
    "todos:* *",
    "todos",
    '"todos:read" "todos:write"',
    " ",
    "",
    None,
]
HOSTILE_TYPES: list[Any] = [[READ, WRITE], {READ: True, WRITE: True}, True, 7, [f"{READ} {WRITE}"]]


class TestHostileScopes:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("scope", HOSTILE_SCOPES, ids=ascii)
    def test_a_text_that_is_no_list_of_scopes_allows_nothing(
        self, grant: Grant, method: str, scope: Any
    ) -> None:
        response = ask(grant(scope=scope), method, TODOS, "")
        problem(response, 403, "insufficient_scope")

    @pytest.mark.parametrize("scope", HOSTILE_TYPES, ids=ascii)
    def test_a_scope_that_is_no_text_is_401(self, grant: Grant, scope: Any) -> None:
        problem(grant(scope=scope).get(TODOS), 401, "claim_invalid")

    @pytest.mark.parametrize("name", ["scp", "scopes", "permissions", "roles"])
    def test_no_other_claim_gives_a_scope(self, grant: Grant, name: str) -> None:
        claims: dict[str, Any] = {name: f"{READ} {WRITE}", "scope": "openid"}
        problem(grant(**claims).get(TODOS), 403, "insufficient_scope")

    def test_the_scopes_of_one_token_are_not_those_of_another(self, grant: Grant) -> None:
        """Verified tokens are remembered."""
        reading, writing = grant(READ), grant(WRITE)
        for _ in range(2):
            assert reading.get(ME).status_code == 200
            assert writing.get(ME).status_code == 403


class TestAllowances:
    @pytest.fixture(autouse=True)
    def _small(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(throttles, "now", Clock())
        settings.THROTTLE_USER = (2, 60)

    def test_a_refusal_for_a_scope_spends_the_allowance_of_the_user(self, grant: Grant) -> None:
        client = grant(READ)
        answers = [client.post(TODOS) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [403, 403, 429]
        assert [answer["RateLimit"] for answer in answers[:2]] == [
            '"user";r=1;t=60',
            '"user";r=0;t=60',
        ]
        assert client.get(ME).status_code == 429

    @pytest.mark.parametrize("scopes", [(READ,), (READ, WRITE)], ids=" ".join)
    def test_options_are_one_request(self, grant: Grant, scopes: tuple[str, ...]) -> None:
        """DRF asks the permissions of each method for them."""
        assert grant(*scopes).options(TODOS)["RateLimit"] == '"user";r=1;t=60'


class TestTokens:
    def test_without_a_resource_access_tokens_are_refused_as_before(
        self, issuer: Issuer, bearer: Bearer, anonymous: Client
    ) -> None:
        response = bearer(access_token(issuer, READ, WRITE)).get(ME)
        problem(response, 401, "type_unsupported")
        assert "resource_metadata" not in response["WWW-Authenticate"]
        assert anonymous.get(ME)["WWW-Authenticate"] == 'Bearer realm="todos"'

    def test_a_token_that_a_client_got_for_itself_is_401(self, grant: Grant) -> None:
        problem(grant(READ, WRITE, sub="agent").get(ME), 401, "subject_not_user")

    @pytest.mark.parametrize(
        ("claims", "code"),
        [
            ({"aud": "https://other.example.com"}, "audience_mismatch"),
            ({"aud": [RESOURCE, "https://other.example.com"]}, "audience_mismatch"),
            ({"aud": f"{RESOURCE}/"}, "audience_mismatch"),
            ({"iss": "https://auth.example.com"}, "issuer_mismatch"),
            ({"exp": 1}, "token_expired"),
            ({"cnf": {"jkt": "x"}}, "token_bound"),
        ],
        ids=repr,
    )
    def test_a_token_for_something_else_is_401(
        self, grant: Grant, claims: dict[str, Any], code: str
    ) -> None:
        response = grant(READ, WRITE, **claims).get(ME)
        problem(response, 401, code)
        assert f'resource_metadata="{METADATA_URL}"' in response["WWW-Authenticate"]

    def test_an_access_token_without_its_type_is_refused(
        self, oauth: None, issuer: Issuer, bearer: Bearer
    ) -> None:
        token = issuer.mint(iss=f"{issuer.url}/api/auth", aud=RESOURCE, scope=READ, azp="agent")
        problem(bearer(token).get(ME), 401, "issuer_mismatch")

    def test_anonymous_clients_are_told_where_the_metadata_is(
        self, oauth: None, anonymous: Client
    ) -> None:
        expected = f'Bearer realm="todos", resource_metadata="{METADATA_URL}"'
        for method in (*READING, "POST"):
            assert anonymous.generic(method, TODOS)["WWW-Authenticate"] == expected


@pytest.mark.usefixtures("oauth")
class TestMetadata:
    @pytest.mark.parametrize("path", ["", "/backend", "/a/b"])
    def test_the_metadata_of_a_resource_is_below_its_origin(
        self, settings: Settings, issuer: Issuer, anonymous: Client, path: str
    ) -> None:
        settings.OAUTH_RESOURCE = f"{RESOURCE}{path}"
        response = anonymous.get(f"{WELL_KNOWN}{path}")
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")
        assert response.json() == {
            "resource": f"{RESOURCE}{path}",
            "authorization_servers": [f"{issuer.url}/api/auth"],
            "scopes_supported": [READ, WRITE],
            "bearer_methods_supported": ["header"],
        }
        assert anonymous.get(WELL_KNOWN).json() == response.json()
        refused = anonymous.get(ME)["WWW-Authenticate"]
        assert f'resource_metadata="{RESOURCE}{WELL_KNOWN}{path}"' in refused

    @pytest.mark.parametrize("path", ["/other", "/backend/other", "/backendx", "/back"])
    def test_there_is_no_metadata_of_another_resource(
        self, settings: Settings, anonymous: Client, path: str
    ) -> None:
        settings.OAUTH_RESOURCE = f"{RESOURCE}/backend"
        problem(anonymous.get(f"{WELL_KNOWN}{path}"), 404, "not_found")

    @pytest.mark.parametrize("accept", ["application/json", "*/*", BROWSER])
    def test_the_metadata_is_json_for_every_client(self, anonymous: Client, accept: str) -> None:
        response = anonymous.get(WELL_KNOWN, headers={"accept": accept})
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")

    def test_the_metadata_needs_no_token(self, bearer: Bearer) -> None:
        assert bearer("refused").get(WELL_KNOWN).status_code == 200

    def test_the_metadata_counts_for_the_address(
        self, anonymous: Client, settings: Settings
    ) -> None:
        settings.THROTTLE_ANON = (2, 3600)
        assert [anonymous.get(WELL_KNOWN).status_code for _ in range(3)] == [200, 200, 429]

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_the_metadata_can_be_read_only(self, anonymous: Client, method: str) -> None:
        problem(anonymous.generic(method, WELL_KNOWN), 405, "method_not_allowed")

    @pytest.mark.parametrize("origins", [[], [APP]], ids=["closed", "open"])
    def test_a_page_of_any_origin_can_read_the_metadata(
        self, settings: Settings, anonymous: Client, origins: list[str]
    ) -> None:
        """A client of the Model Context Protocol sends a field that needs a preflight."""
        settings.CORS_ALLOWED_ORIGINS = origins
        preflight = {
            "access-control-request-method": "GET",
            "access-control-request-headers": "mcp-protocol-version",
        }
        asked = anonymous.options(WELL_KNOWN, headers={"origin": APP, **preflight})
        assert (asked.status_code, asked["Access-Control-Allow-Headers"]) == (204, "*")
        for response in (asked, anonymous.get(WELL_KNOWN, headers={"origin": APP})):
            assert response["Access-Control-Allow-Origin"] == "*"

    def test_the_metadata_takes_no_parameter(self, anonymous: Client) -> None:
        problem(anonymous.get(f"{WELL_KNOWN}?format=xml"), 400, "invalid_parameter")


def test_there_is_no_metadata_without_a_resource(anonymous: Client) -> None:
    for path in ("", "/", "/backend"):
        problem(anonymous.get(f"{WELL_KNOWN}{path}"), 404, "not_found")


def test_the_openapi_document_names_the_scope_of_each_operation(
    oauth: None, issuer: Issuer, anonymous: Client
) -> None:
    """Without ``OAUTH_RESOURCE`` the document is ``openapi.json``."""
    document, expected = anonymous.get("/api/schema/").json(), copy.deepcopy(OPENAPI)
    for path, operations in expected["paths"].items():
        for method, operation in operations.items():
            found = document["paths"][path][method].pop("security")
            assert found == [*operation.pop("security"), {"oauth2": [needed(method.upper())]}]
    flow = document["components"]["securitySchemes"].pop("oauth2")["flows"]["authorizationCode"]
    assert flow["scopes"].keys() == {READ, WRITE}
    assert flow["tokenUrl"] == f"{issuer.url}/api/auth/oauth2/token"
    assert document == expected
