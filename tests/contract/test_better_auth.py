"""Tokens of a real Better Auth server against this API, over HTTP.

Needs Node and the packages of ``examples/better-auth``; run with ``pytest -m interop``.
"""

from __future__ import annotations

import json
import secrets
import shutil
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.request import Request

from authn import JWTAuthentication
from authn.claims import Claims
from authn.users import TokenUser
from tests.support.processes import EXAMPLE, Answer, Api, Issuer, Servers, run

pytestmark = pytest.mark.interop

ALGORITHMS = ("EdDSA", "ES256", "ES512", "RS256", "PS256")
ADMIN = "admin@example.com"
every_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Pair:
    """An issuer, and an API that trusts it."""

    issuer: Issuer
    api: Api

    @classmethod
    def start(cls, servers: Servers, *, secret: str = "", **environment: str) -> Pair:
        """With a ``secret`` both share it; ``environment`` is the issuer's."""
        issuer = servers.issuer(BETTER_AUTH_SECRET=secret, **environment)
        return cls(issuer, servers.api(issuer, secret=secret))


NewServers = Callable[[], Servers]
Stories = dict[str, Future[None]]


@pytest.fixture(scope="module")
def new_servers(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> NewServers:
    if shutil.which("node") is None:
        pytest.fail("Node is missing: these tests need Node 20.19 or newer on the PATH.")
    if not (EXAMPLE / "node_modules" / "better-auth").is_dir():
        pytest.fail("Better Auth is missing: run `npm ci` in examples/better-auth.")
    return partial(Servers, tmp_path_factory.mktemp("servers"), migrated)


@pytest.fixture
def servers(new_servers: NewServers) -> Iterator[Servers]:
    with new_servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def pairs(new_servers: NewServers) -> Iterator[dict[str, Pair]]:
    """One for each algorithm."""
    with new_servers() as servers, ThreadPoolExecutor() as pool:
        started = pool.map(lambda name: Pair.start(servers, JWT_ALGORITHM=name), ALGORITHMS)
        yield dict(zip(ALGORITHMS, started, strict=True))


@pytest.fixture
def pair(pairs: dict[str, Pair], algorithm: str) -> Pair:
    return pairs[algorithm]


@pytest.fixture(scope="module")
def sharing(new_servers: NewServers) -> Iterator[Pair]:
    """Both key sources are on, and the issuer keeps sessions in cookies that the secret signs."""
    with new_servers() as servers:
        yield Pair.start(servers, secret=secrets.token_urlsafe(32), SESSION_COOKIE_CACHE="jwt")


@every_algorithm
def test_a_token_of_a_real_issuer_opens_the_api(pair: Pair, algorithm: str) -> None:
    user = pair.issuer.sign_up()
    token = user.token()
    assert header_of(token)["alg"] == algorithm
    answer = pair.api.me(token)
    assert answer.outcome == "200"
    assert answer.data["id"] == claims_of(token)["sub"] == user.id
    assert (answer.data["email"], answer.data["name"]) == (user.email, "Ada")


@every_algorithm
def test_a_user_creates_lists_completes_and_deletes_a_todo(pair: Pair, algorithm: str) -> None:
    api, token = pair.api, pair.issuer.sign_up().token()
    created = api.post("/api/todos/", token, {"title": "Buy milk"})
    assert created.outcome == "201"
    todo = f"/api/todos/{created.data['id']}/"
    assert titles(api.get("/api/todos/", token)) == ["Buy milk"]
    assert api.post(f"{todo}complete/", token).data["completed"] is True
    assert api.get(todo, token).data["completed"] is True
    assert api.send("DELETE", todo, token).outcome == "204"
    assert titles(api.get("/api/todos/", token)) == []


@every_algorithm
def test_another_user_of_the_same_issuer_gets_403(pair: Pair, algorithm: str) -> None:
    api, owner, stranger = pair.api, pair.issuer.sign_up().token(), pair.issuer.sign_up().token()
    created = api.post("/api/todos/", owner, {"title": "Buy milk"}).data
    todo = f"/api/todos/{created['id']}/"
    assert [
        api.get(todo, stranger).outcome,
        api.send("PUT", todo, stranger, {"title": "Mine"}).outcome,
        api.send("PATCH", todo, stranger, {"title": "Mine"}).outcome,
        api.post(f"{todo}complete/", stranger).outcome,
        api.send("DELETE", todo, stranger).outcome,
    ] == ["403 permission_denied"] * 5
    assert titles(api.get("/api/todos/", stranger)) == []
    assert api.get(todo, owner).data == created


def side_by_side(story: Callable[[str], None]) -> Iterator[Stories]:
    """Tell ``story`` for every algorithm at the same time: most of it is waiting."""
    with ThreadPoolExecutor(len(ALGORITHMS)) as pool:
        yield {algorithm: pool.submit(story, algorithm) for algorithm in ALGORITHMS}


def rotate(new_servers: NewServers, algorithm: str) -> None:
    with new_servers() as servers:
        pair = Pair.start(servers, JWT_ALGORITHM=algorithm, JWT_ROTATION_SECONDS="1")
        user = pair.issuer.sign_up()
        old = user.token()
        assert pair.api.me(old).outcome == "200"

        new = user.token_under_another_key_than(old)
        # The API must not fetch again yet: anyone can send a token with a new kid.
        pair.api.wait_for("200", new, meanwhile="401 key_unknown")
        assert pair.api.me(old).outcome == "200"


@pytest.fixture(scope="module")
def rotations(new_servers: NewServers) -> Iterator[Stories]:
    yield from side_by_side(partial(rotate, new_servers))


@every_algorithm
def test_a_key_rotated_while_serving_is_accepted_beside_the_old_one(
    rotations: Stories, algorithm: str
) -> None:
    rotations[algorithm].result()


def stop_and_restart(new_servers: NewServers, algorithm: str) -> None:
    with new_servers() as servers:
        pair = Pair.start(servers, JWT_ALGORITHM=algorithm)
        known = pair.issuer.sign_up().token()
        assert pair.api.me(known).outcome == "200"

        pair.issuer.stop()
        assert pair.api.me(known).outcome == "200"
        forged = with_unknown_kid(known)
        # Until its next fetch, the API believes its last one: there is no such key.
        refusal = pair.api.wait_for("503 keys_unavailable", forged, meanwhile="401 key_unknown")
        assert says_when_to_retry(refusal)
        assert pair.api.me(known).outcome == "200"

        pair.issuer.start()  # it has forgotten its keys
        user = pair.issuer.sign_up()
        answer = pair.api.wait_for("200", user.token(), meanwhile="503 keys_unavailable")
        assert answer.data["id"] == user.id
        assert pair.api.me(known).outcome == "401 key_unknown"


@pytest.fixture(scope="module")
def restarts(new_servers: NewServers) -> Iterator[Stories]:
    yield from side_by_side(partial(stop_and_restart, new_servers))


@every_algorithm
def test_known_keys_outlive_a_stopped_issuer_but_not_one_restarted_with_others(
    restarts: Stories, algorithm: str
) -> None:
    restarts[algorithm].result()


def test_an_api_started_before_its_issuer_says_503_and_recovers(servers: Servers) -> None:
    issuer = servers.issuer()
    token = issuer.sign_up().token()
    issuer.stop()
    api = servers.api(issuer)
    answer = api.me(token)
    assert answer.outcome == "503 keys_unavailable"
    assert says_when_to_retry(answer)

    issuer.start()
    api.wait_for("200", issuer.sign_up().token(), meanwhile="503 keys_unavailable")


def test_a_session_cookie_signed_with_the_shared_secret_is_refused(sharing: Pair) -> None:
    cookie = sharing.issuer.sign_up().session_cookie
    assert header_of(cookie)["alg"] == "HS256"
    assert sharing.api.me(cookie).outcome == "401 claim_missing"


def test_a_link_that_verifies_an_email_address_is_refused(sharing: Pair) -> None:
    user = sharing.issuer.sign_up()
    link = urlsplit(sharing.issuer.link_mailed_to(user))
    token = parse_qs(link.query)["token"][0]
    assert header_of(token)["alg"] == "HS256"
    assert claims_of(token)["email"] == user.email
    assert sharing.api.me(token).outcome == "401 claim_missing"


def test_the_secret_of_an_issuer_opens_nothing_where_only_its_key_set_is_trusted(
    sharing: Pair, servers: Servers
) -> None:
    cookie = sharing.issuer.sign_up().session_cookie
    assert servers.api(sharing.issuer).me(cookie).outcome == "401 algorithm_unsupported"


def test_a_session_cookie_signed_with_a_key_of_the_key_set_is_refused(servers: Servers) -> None:
    pair = Pair.start(servers, SESSION_COOKIE_CACHE="jwks")
    user = pair.issuer.sign_up()
    assert header_of(user.session_cookie)["kid"] == header_of(user.token())["kid"]
    assert claims_of(user.session_cookie)["sub"] == user.id
    assert pair.api.me(user.session_cookie).outcome == "401 type_unsupported"
    assert pair.api.me(user.token()).outcome == "200"


def test_the_bearer_plugins_session_token_is_refused(pairs: dict[str, Pair]) -> None:
    pair = pairs["EdDSA"]
    user = pair.issuer.sign_up()
    assert user.signed_session_token.startswith(f"{user.session_token}.")
    assert pair.api.me(user.session_token).outcome == "401 token_malformed"
    assert pair.api.me(user.signed_session_token).outcome == "401 token_malformed"


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [
        pytest.param(
            {"JWT_AUDIENCE": "https://other.example"}, "401 audience_mismatch", id="audience"
        ),
        pytest.param(
            {"JWT_AUDIENCE": "https://other.example,https://third.example"},
            "401 audience_mismatch",
            id="audiences",
        ),
        pytest.param({"JWT_ISSUER": "https://other.example"}, "401 issuer_mismatch", id="issuer"),
        pytest.param({"JWT_EXPIRES": "-5m"}, "401 token_expired", id="expired"),
    ],
)
def test_a_token_with_a_valid_signature_is_refused_for_its_claims(
    servers: Servers, environment: dict[str, str], outcome: str
) -> None:
    pair = Pair.start(servers, **environment)
    assert pair.api.me(pair.issuer.sign_up().token()).outcome == outcome


def test_a_token_of_another_better_auth_server_is_refused(pairs: dict[str, Pair]) -> None:
    token = pairs["ES256"].issuer.sign_up().token()
    assert pairs["EdDSA"].api.me(token).outcome == "401 key_unknown"


def test_a_minted_token_is_accepted_beside_one_of_the_key_set(sharing: Pair) -> None:
    user = sharing.issuer.sign_up()
    minted = sharing.api.manage("mint_token", "minted-user", "--email=m@example.com").strip()
    assert header_of(minted)["alg"] == "HS256"
    assert sharing.api.me(minted).data["id"] == "minted-user"
    assert sharing.api.me(minted).data["email"] == "m@example.com"
    assert sharing.api.me(user.token()).data["id"] == user.id


def test_secrets_rotate_while_the_api_serves(servers: Servers) -> None:
    """First the API learns the new secret, then the issuer signs with it."""
    old, new, third = (secrets.token_urlsafe(32) for _ in range(3))
    both = f"2:{new},1:{old}"
    issuer = servers.issuer(JWT_ALGORITHM="HS256", BETTER_AUTH_SECRETS=f"1:{old}")
    before, during, after = (
        servers.api(issuer, BETTER_AUTH_SECRETS=known) for known in (f"1:{old}", both, f"2:{new}")
    )

    def outcomes(token: str) -> list[str]:
        return [api.me(token).outcome for api in (before, during, after)]

    signed_with_old = issuer.sign_up().token()
    assert header_of(signed_with_old) == {"alg": "HS256"}
    assert outcomes(signed_with_old) == ["200", "200", "401 signature_invalid"]

    issuer.stop()
    issuer.environment = {**issuer.environment, "BETTER_AUTH_SECRETS": both}
    issuer.start()
    signed_with_new = issuer.sign_up().token()
    assert outcomes(signed_with_new) == ["401 signature_invalid", "200", "200"]
    assert outcomes(signed_with_old) == ["200", "200", "401 signature_invalid"]

    claims = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": issuer.url}
    stranger = servers.issuer(JWT_ALGORITHM="HS256", BETTER_AUTH_SECRET=third, **claims)
    assert outcomes(stranger.sign_up().token()) == ["401 signature_invalid"] * 3


def test_a_view_sees_the_admin_who_impersonates_a_user(
    servers: Servers, settings: Settings, rf: RequestFactory
) -> None:
    issuer = servers.issuer(ADMIN_EMAIL=ADMIN)
    admin, user = issuer.sign_up(ADMIN), issuer.sign_up()
    settings.BETTER_AUTH_URL = issuer.url

    def authenticated(token: str) -> tuple[TokenUser, Claims]:
        request = rf.get("/", headers={"Authorization": f"Bearer {token}"})
        result = JWTAuthentication().authenticate(Request(request))
        assert result is not None
        return result

    impersonated, claims = authenticated(user.impersonated_by(admin).token())
    assert impersonated.pk == user.id
    assert claims.payload["act"] == {"sub": admin.id}
    assert "act" not in authenticated(user.token())[1].payload


def test_by_default_no_claim_of_an_impersonated_session_names_the_admin(servers: Servers) -> None:
    """Better Auth's own payload, which is why the example has a ``definePayload``."""
    issuer = servers.issuer(ADMIN_EMAIL=ADMIN, IMPERSONATION_CLAIM="none")
    admin, user = issuer.sign_up(ADMIN), issuer.sign_up()
    impersonated = claims_of(user.impersonated_by(admin).token())
    assert impersonated.keys() == claims_of(user.token()).keys()
    assert admin.id not in str(impersonated)


def test_an_api_key_gets_a_token_that_opens_the_api(pairs: dict[str, Pair]) -> None:
    pair = pairs["EdDSA"]
    user = pair.issuer.sign_up()
    answer = ask_for_a_token(pair.issuer, user.api_key())
    assert answer.status == 200
    assert pair.api.me(answer.data["token"]).data["id"] == user.id


@pytest.mark.parametrize(("length", "status"), [(64, 401), (5, 403)])
def test_a_wrong_api_key_gets_no_token(pairs: dict[str, Pair], length: int, status: int) -> None:
    answer = ask_for_a_token(pairs["EdDSA"].issuer, "x" * length)
    assert (answer.status, answer.data["code"]) == (status, "INVALID_API_KEY")


def test_an_api_key_itself_is_refused(pairs: dict[str, Pair]) -> None:
    pair = pairs["EdDSA"]
    assert pair.api.me(pair.issuer.sign_up().api_key()).outcome == "401 token_malformed"


def test_the_demo_of_the_example_uses_the_api_to_its_end(pairs: dict[str, Pair]) -> None:
    pair = pairs["EdDSA"]
    addresses = {"BETTER_AUTH_URL": pair.issuer.url, "API_URL": pair.api.url}
    assert run(["node", "demo.mjs"], EXAMPLE, addresses).endswith("204 deleted it\n")


def ask_for_a_token(issuer: Issuer, api_key: str) -> Answer:
    return issuer.send("GET", "/api/auth/token", "", None, **{"x-api-key": api_key})


def header_of(token: str) -> dict[str, Any]:
    return decoded(token.split(".")[0])


def claims_of(token: str) -> dict[str, Any]:
    return decoded(token.split(".")[1])


def decoded(segment: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return value


def with_unknown_kid(token: str) -> str:
    header = json.dumps({**header_of(token), "kid": secrets.token_hex(16)}).encode()
    return ".".join([urlsafe_b64encode(header).decode().rstrip("="), *token.split(".")[1:]])


def says_when_to_retry(answer: Answer) -> bool:
    return 1 <= int(answer.headers["retry-after"]) <= 10


def titles(answer: Answer) -> list[str]:
    return [todo["title"] for todo in answer.data["results"]]
