"""OAuth 2.1 access tokens of a real Better Auth server against this API, over HTTP.

Needs Node and the packages of ``examples/better-auth``; run with ``pytest -m interop``.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.support.oauth_clients import OAuthClient, machine_token
from tests.support.processes import Api, Issuer, Servers

pytestmark = pytest.mark.interop

RESOURCE, FOREIGN = "https://todos.example.com/backend", "https://other.example.com"
MACHINE_SECRET = "machine-secret"
METADATA = "https://todos.example.com/.well-known/oauth-protected-resource/backend"


def start_issuer(servers: Servers, **environment: str) -> Issuer:
    return servers.issuer(
        OAUTH_RESOURCE=f"{RESOURCE},{FOREIGN}", OAUTH_MACHINE_SECRET=MACHINE_SECRET, **environment
    )


@pytest.fixture(scope="module")
def issuer(servers: Servers) -> Issuer:
    return start_issuer(servers)


@pytest.fixture(scope="module")
def oauth_api(servers: Servers, issuer: Issuer) -> Api:
    return servers.api(issuer, OAUTH_RESOURCE=RESOURCE)


@pytest.fixture
def client(issuer: Issuer) -> OAuthClient:
    return OAuthClient.of(issuer.sign_up())


# With openid, the token is for Better Auth's userinfo endpoint as well.
@pytest.mark.parametrize("scope", ["todos:read", "openid todos:read"])
def test_a_client_that_may_read_cannot_write(
    oauth_api: Api, client: OAuthClient, scope: str
) -> None:
    token = client.access_token(scope, RESOURCE)
    assert oauth_api.get("/api/todos/", token).outcome == "200"
    assert oauth_api.me(token).data["id"] == client.user.id
    refused = oauth_api.post("/api/todos/", token, {"title": "Buy milk"})
    assert refused.outcome == "403 insufficient_scope"
    challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="todos:write"' in challenge


def test_a_client_with_both_scopes_works_on_the_todos_of_its_user(
    oauth_api: Api, client: OAuthClient
) -> None:
    token = client.access_token("todos:read todos:write", RESOURCE)
    todo = oauth_api.post("/api/todos/", token, {"title": "Buy milk"})
    assert todo.outcome == "201"
    assert oauth_api.get("/api/todos/", client.user.token()).data["results"] == [todo.data]


def test_a_client_that_may_only_write_cannot_read(oauth_api: Api, client: OAuthClient) -> None:
    token = client.access_token("todos:write", RESOURCE)
    assert oauth_api.get("/api/todos/", token).outcome == "403 insufficient_scope"


@pytest.mark.parametrize(
    ("scope", "resources", "outcome"),
    [
        pytest.param("todos:read", [FOREIGN], "401 audience_mismatch", id="another resource"),
        pytest.param(
            "todos:read", [RESOURCE, FOREIGN], "401 audience_mismatch", id="this and another"
        ),
        pytest.param("todos:read", [], "401 token_malformed", id="none, which makes it opaque"),
    ],
)
def test_a_token_for_another_resource_is_refused(
    oauth_api: Api, client: OAuthClient, scope: str, resources: list[str], outcome: str
) -> None:
    answer = oauth_api.me(client.access_token(scope, *resources))
    assert answer.outcome == outcome
    assert f'resource_metadata="{METADATA}"' in answer.headers["www-authenticate"]


def test_a_machine_acts_for_no_user(oauth_api: Api, issuer: Issuer) -> None:
    token = machine_token(issuer, MACHINE_SECRET, "todos:read", RESOURCE)
    assert oauth_api.me(token).outcome == "401 subject_not_user"


def test_an_expired_access_token_is_refused(servers: Servers) -> None:
    issuer = start_issuer(servers, JWT_EXPIRES="-5m")
    api = servers.api(issuer, OAUTH_RESOURCE=RESOURCE)
    token = OAuthClient.of(issuer.sign_up()).access_token("todos:read", RESOURCE)
    assert api.me(token).outcome == "401 token_expired"


def test_an_access_token_is_refused_without_a_resource(
    servers: Servers, issuer: Issuer, client: OAuthClient
) -> None:
    token = client.access_token("todos:read", RESOURCE)
    assert servers.api(issuer).me(token).outcome == "401 type_unsupported"


def test_an_access_token_outlives_everything_but_its_key(servers: Servers) -> None:
    issuer = start_issuer(servers)
    api = servers.api(issuer, OAUTH_RESOURCE=RESOURCE)
    client = OAuthClient.of(issuer.sign_up())
    token = client.access_token("todos:read", RESOURCE)

    revoked = issuer.send(
        "POST",
        "/api/auth/oauth2/revoke",
        body=f"token={token}&client_id={client.id}".encode(),
        **{"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (revoked.status, revoked.data["error"]) == (400, "unsupported_token_type")
    issuer.ask("POST", "/api/auth/sign-out", client.user.session_token, body={})
    assert api.me(token).outcome == "200"

    issuer.stop()
    issuer.start()  # with new keys
    api.wait_for("200", issuer.sign_up().token(), meanwhile="401 key_unknown")
    assert api.me(token).outcome == "401 key_unknown"


def test_a_client_finds_the_issuer_from_the_api(oauth_api: Api, issuer: Issuer) -> None:
    described = oauth_api.get(urlsplit(METADATA).path)
    assert described.data["resource"] == RESOURCE
    (server,) = described.data["authorization_servers"]
    # RFC 8414 section 3.1: the path of the issuer goes behind the well-known one.
    path = f"/.well-known/oauth-authorization-server{urlsplit(server).path}"
    metadata = issuer.ask("GET", path).data
    assert metadata["issuer"] == server
    assert {*described.data["scopes_supported"]} < {*metadata["scopes_supported"]}
