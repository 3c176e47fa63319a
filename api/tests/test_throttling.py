"""Allowances of users and addresses, and the header fields that tell them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from api.throttling import counters
from api.throttling import throttles as throttling
from authn.keys import GRACE_SECONDS, MAX_AGE_SECONDS
from authn.testing import Clock, Issuer, SecretIssuer
from authn.verifier import TokenVerifier
from tests.support.problems import problem

ME = "/api/me/"
ORIGIN = "https://app.example.com"
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that has stopped at the start of a minute."""
    clock = Clock()
    monkeypatch.setattr(throttling, "now", clock)
    return clock


@pytest.fixture(autouse=True)
def _small_allowances(settings: Settings) -> None:
    settings.THROTTLE_USER = (3, 60)
    settings.THROTTLE_ANON = (2, 60)
    settings.THROTTLE_REFUSED = (2, 3600)


@pytest.fixture
def mallory(mint: Any, bearer: Callable[[str], Client]) -> Client:
    """Send an expired token of Alice."""
    return bearer(mint(sub="alice", exp=1))


@pytest.fixture
def namesake(mint: Any, bearer: Callable[[str], Client]) -> Client:
    """A user whose id is the address of every client."""
    return bearer(mint(sub="127.0.0.1"))


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the tokens whose signatures are verified."""
    tokens: list[str] = []
    verify = TokenVerifier._verify_anew

    def counted(self: TokenVerifier, token: str, **options: Any) -> Any:
        tokens.append(token)
        return verify(self, token, **options)

    monkeypatch.setattr(TokenVerifier, "_verify_anew", counted)
    return tokens


def statuses(client: Client, times: int, path: str = ME, **extra: str) -> list[int]:
    return [client.get(path, **extra).status_code for _ in range(times)]  # type: ignore[arg-type]


def left(response: Any) -> str:
    return str(response["RateLimit"])


class TestAUser:
    def test_gets_429_beyond_the_allowance(self, alice: Client, clock: Clock) -> None:
        assert statuses(alice, 3) == [200, 200, 200]
        clock.advance(17.5)
        response = alice.get(ME)
        body = problem(response, 429, "throttled")
        assert body["title"] == "Too Many Requests"
        assert body["detail"] == "Too many requests. Try again in 43 seconds."
        assert response["Retry-After"] == "43"
        assert response["RateLimit-Policy"] == '"user";q=3;w=60'
        assert left(response) == '"user";r=0;t=43'

    def test_reads_the_rest_of_the_allowance_in_each_answer(self, alice: Client) -> None:
        for remaining in (2, 1, 0):
            response = alice.get(ME)
            assert response["RateLimit-Policy"] == '"user";q=3;w=60'
            assert left(response) == f'"user";r={remaining};t=60'
            assert "Retry-After" not in response

    def test_has_a_new_allowance_in_the_next_window_only(self, alice: Client, clock: Clock) -> None:
        assert statuses(alice, 4)[-1] == 429
        clock.advance(59.999)
        response = alice.get(ME)
        assert (response.status_code, response["Retry-After"]) == (429, "1")
        clock.advance(0.001)
        assert left(alice.get(ME)) == '"user";r=2;t=60'

    def test_does_not_share_an_allowance_with_another_user(
        self, alice: Client, bob: Client
    ) -> None:
        assert statuses(alice, 4)[-1] == 429
        assert statuses(bob, 3) == [200, 200, 200]

    def test_has_one_allowance_for_all_tokens_and_addresses(
        self, alice: Client, mint: Any, bearer: Any
    ) -> None:
        assert statuses(alice, 3) == [200, 200, 200]
        assert statuses(bearer(mint(sub="alice", jti="another")), 1, **ELSEWHERE) == [429]

    def test_spends_the_allowance_on_failures(self, alice: Client) -> None:
        assert alice.delete(ME).status_code == 405
        assert alice.get(ME, {"x": "y"}).status_code == 400
        assert left(alice.post(ME)) == '"user";r=0;t=60'
        assert alice.delete(ME).status_code == 429

    def test_gets_429_before_any_query(self, alice: Client) -> None:
        assert statuses(alice, 3) == [200, 200, 200]
        # No test of the database: a query would fail.
        assert statuses(alice, 1, f"/api/todos/{uuid.uuid4()}/") == [429]

    @pytest.mark.parametrize("sub", ["x" * 255, "a b", "日本:/?#", "é"])
    def test_is_counted_under_any_sub(self, mint: Any, bearer: Any, sub: str) -> None:
        assert statuses(bearer(mint(sub=sub)), 4) == [200, 200, 200, 429]

    def test_spends_no_allowance_of_the_address(self, alice: Client, anonymous: Client) -> None:
        assert statuses(alice, 3) == [200, 200, 200]
        assert left(anonymous.get(ME)) == '"anon";r=1;t=60'


class TestWithoutAToken:
    def test_an_address_gets_429_beyond_its_allowance(self, anonymous: Client) -> None:
        assert [left(anonymous.get(ME)) for _ in range(2)] == [
            '"anon";r=1;t=60',
            '"anon";r=0;t=60',
        ]
        response = anonymous.get(ME)
        detail = problem(response, 429, "throttled")["detail"]
        assert detail == "Too many requests. Try again in 60 seconds."
        assert response["Retry-After"] == "60"
        assert response["RateLimit-Policy"] == '"anon";q=2;w=60'
        assert left(response) == '"anon";r=0;t=60'
        assert response["Cache-Control"] == "private, no-cache"
        assert "Authorization" in response["Vary"]

    def test_addresses_do_not_share_an_allowance(self, anonymous: Client) -> None:
        assert statuses(anonymous, 3) == [401, 401, 429]
        assert statuses(anonymous, 1, **ELSEWHERE) == [401]

    def test_clients_behind_a_trusted_proxy_do_not_share_an_allowance(
        self, settings: Settings, anonymous: Client
    ) -> None:
        settings.NUM_PROXIES = 1
        assert statuses(anonymous, 3, HTTP_X_FORWARDED_FOR="9.9.9.9, 192.0.2.1")[-1] == 429
        assert statuses(anonymous, 1, HTTP_X_FORWARDED_FOR="9.9.9.8, 192.0.2.1") == [429]
        assert statuses(anonymous, 1, HTTP_X_FORWARDED_FOR="9.9.9.9, 192.0.2.2") == [401]

    @pytest.mark.parametrize("header", ["Basic YTpi", "bearer", "Bearerx y", ""])
    def test_a_header_without_a_bearer_token_counts(self, header: str) -> None:
        response = Client(headers={"authorization": header}).get(ME)
        assert left(response).startswith('"refused"' if header == "bearer" else '"anon"')

    @pytest.mark.django_db
    def test_a_probe_is_never_throttled(self, anonymous: Client) -> None:
        assert statuses(anonymous, 3)[-1] == 429
        for path in ("/healthz", "/readyz"):
            response = anonymous.get(path)
            assert response.status_code == 200
            assert "RateLimit" not in response


class TestRefusedTokens:
    def test_a_flood_of_refused_tokens_is_429_before_any_signature_work(
        self, mallory: Client, verified: list[str]
    ) -> None:
        assert [left(mallory.get(ME)) for _ in range(2)] == [
            '"refused";r=1;t=3600',
            '"refused";r=0;t=3600',
        ]
        assert statuses(mallory, 5) == [429] * 5
        assert len(verified) == 2
        response = mallory.get(ME)
        problem(response, 429, "too_many_refusals")
        assert response["Retry-After"] == "3600"
        assert response["RateLimit-Policy"] == '"refused";q=2;w=3600'
        assert left(response) == '"refused";r=0;t=3600'

    def test_a_new_token_of_an_address_without_refusals_left_is_429(
        self, mallory: Client, alice: Client, clock: Clock, verified: list[str]
    ) -> None:
        assert statuses(mallory, 2) == [401, 401]
        assert statuses(alice, 1) == [429]
        assert len(verified) == 2
        assert statuses(alice, 1, **ELSEWHERE) == [200]
        clock.advance(3600)
        assert statuses(alice, 1) == [200]

    def test_a_remembered_token_passes_without_refusals_left(
        self, settings: Settings, mint: Any, bearer: Any
    ) -> None:
        """A Next.js rewrite gives all users one address, and one client sends `undefined`."""
        settings.THROTTLE_REFUSED = (30, 3600)
        alice, broken = bearer(mint(sub="alice")), bearer("undefined")
        assert statuses(alice, 1) == [200]
        assert statuses(broken, 31) == [401] * 30 + [429]
        response = alice.get(ME)
        assert (response.status_code, response.json()["id"]) == (200, "alice")
        assert response["RateLimit-Policy"] == '"user";q=3;w=60'
        assert statuses(bearer(mint(sub="bob")), 1) == [429]

    def test_a_remembered_token_costs_no_look_at_refusals(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert statuses(alice, 1) == [200]
        monkeypatch.setattr(counters, "next_count", pytest.fail)
        assert statuses(alice, 1) == [200]

    def test_a_remembered_token_keeps_to_the_allowance_of_its_user(
        self, mallory: Client, alice: Client
    ) -> None:
        assert statuses(alice, 1) == [200]
        assert statuses(mallory, 3) == [401, 401, 429]
        assert statuses(alice, 3) == [200, 200, 429]

    def test_a_remembered_token_that_expired_is_429_without_refusals_left(
        self,
        mallory: Client,
        bearer: Any,
        secret_issuer: SecretIssuer,
        verified: list[str],
    ) -> None:
        alice = bearer(secret_issuer.mint(sub="alice"))
        assert statuses(alice, 1) == [200]
        assert statuses(mallory, 2) == [401, 401]
        secret_issuer.clock.advance(900 + 30)
        verified.clear()
        assert statuses(alice, 2) == [429, 429]
        assert verified == []

    def test_a_remembered_token_of_a_withdrawn_key_is_429_without_refusals_left(
        self, mallory: Client, bearer: Any, issuer: Issuer
    ) -> None:
        token = issuer.mint(sub="alice", exp=issuer.clock.now + 7200)
        assert statuses(bearer(token), 1) == [200]
        assert statuses(mallory, 2) == [401, 401]
        issuer.withdraw(issuer.kid)
        issuer.rotate()
        issuer.clock.advance(MAX_AGE_SECONDS + GRACE_SECONDS)
        assert statuses(bearer(token), 2) == [429, 429]

    def test_refused_tokens_spend_no_other_allowance(
        self,
        settings: Settings,
        mallory: Client,
        alice: Client,
        anonymous: Client,
        namesake: Client,
    ) -> None:
        settings.THROTTLE_REFUSED = (2, 60)
        assert statuses(mallory, 1) == [401]
        assert left(alice.get(ME)) == '"user";r=2;t=60'
        assert left(namesake.get(ME)) == '"user";r=2;t=60'
        assert left(anonymous.get(ME)) == '"anon";r=1;t=60'

    def test_a_valid_token_counts_as_no_refusal(
        self, settings: Settings, alice: Client, mallory: Client
    ) -> None:
        settings.THROTTLE_USER = (100, 60)
        assert statuses(alice, 5) == [200] * 5
        assert left(mallory.get(ME)) == '"refused";r=1;t=3600'

    def test_unknown_kids_count_as_no_token_while_the_issuer_is_down(
        self, bearer: Any, issuer: Issuer, anonymous: Client
    ) -> None:
        issuer.broken = True
        clients = [bearer(issuer.mint(header={"kid": f"made-up-{n}"})) for n in range(4)]
        responses = [client.get(ME) for client in clients]
        assert [response.status_code for response in responses] == [503, 503, 429, 429]
        assert [left(response) for response in responses[:2]] == [
            '"anon";r=1;t=60',
            '"anon";r=0;t=60',
        ]
        assert responses[0]["Retry-After"]
        assert statuses(anonymous, 1) == [429]

    def test_missing_keys_spend_neither_refusals_nor_the_allowance_of_a_user(
        self, settings: Settings, bearer: Any, issuer: Issuer, alice: Client, mallory: Client
    ) -> None:
        settings.THROTTLE_USER = (100, 60)
        issuer.broken = True
        assert statuses(bearer(issuer.mint()), 3) == [503, 503, 429]
        assert statuses(alice, 5) == [200] * 5
        assert left(mallory.get(ME)) == '"refused";r=1;t=3600'

    def test_a_failure_of_the_server_counts_for_a_known_user_only(
        self, alice: Client, anonymous: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*args: Any, **kwargs: Any) -> None:
            raise OperationalError("the database is away")

        with monkeypatch.context() as failure:
            failure.setattr("api.views.MeView.get", crash)
            response = alice.get(ME)
        problem(response, 503, "database_unavailable")
        assert left(response) == '"user";r=2;t=60'
        with monkeypatch.context() as failure:
            failure.setattr("django.middleware.common.CommonMiddleware.process_request", crash)
            alice.raise_request_exception = False
            response = alice.get(ME)
        assert response.status_code == 500
        assert "RateLimit" not in response
        assert left(anonymous.get(ME)) == '"anon";r=1;t=60'

    @pytest.mark.parametrize(
        ("path", "headers", "status"),
        [
            ("/api/schema/", {}, 200),
            ("/nope", {}, 404),
            (ME, {"accept": "text/html"}, 406),
            (ME, {"host": "evil.example"}, 400),
        ],
    )
    def test_a_token_that_is_never_verified_counts_as_none(
        self,
        mallory: Client,
        anonymous: Client,
        verified: list[str],
        settings: Settings,
        path: str,
        headers: dict[str, str],
        status: int,
    ) -> None:
        settings.THROTTLE_ANON = (2, 60)
        responses = [mallory.get(path, headers=headers) for _ in range(3)]
        assert [response.status_code for response in responses] == [status, status, 429]
        assert left(responses[1]).startswith('"anon";r=0')
        assert anonymous.get(ME).status_code == 429
        assert verified == []


class TestAFrontEndOnAnotherOrigin:
    @pytest.fixture(autouse=True)
    def _open_to_it(self, settings: Settings) -> None:
        settings.CORS_ALLOWED_ORIGINS = [ORIGIN]

    def test_may_read_the_fields_of_a_429(self, anonymous: Client) -> None:
        assert statuses(anonymous, 3)[-1] == 429
        response = anonymous.get(ME, headers={"origin": ORIGIN})
        assert response.status_code == 429
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        assert uuid.UUID(response["X-Request-Id"])
        exposed = response["Access-Control-Expose-Headers"]
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(exposed.split(", "))

    def test_spends_no_allowance_on_preflights(self, anonymous: Client) -> None:
        preflight = {"origin": ORIGIN, "access-control-request-method": "POST"}
        for _ in range(5):
            response = anonymous.options(ME, headers=preflight)
            assert response.status_code == 200
            assert "RateLimit" not in response
        assert left(anonymous.get(ME)) == '"anon";r=1;t=60'
