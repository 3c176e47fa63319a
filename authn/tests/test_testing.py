"""The fixtures of ``authn.testing``."""

from __future__ import annotations

import time
from typing import Any

import pytest

from authn import jwks
from authn.conf import get_verifier
from authn.exceptions import TokenRejected
from authn.keys import COOLDOWN_SECONDS
from authn.testing import (
    KEY_SET_ALGORITHMS,
    Bearer,
    Clock,
    Issuer,
    Mint,
    SecretIssuer,
)

LIFETIME_SECONDS = 900
LEEWAY_SECONDS = 30


def outcome(token: str) -> str:
    """Return the subject of the token, or why it is refused."""
    try:
        return get_verifier().verify(token).subject
    except TokenRejected as reason:
        return reason.code


class TestIssuer:
    @pytest.mark.parametrize("issuer", KEY_SET_ALGORITHMS, indirect=True)
    def test_tokens_of_the_issuer_are_accepted(
        self, issuer: Issuer, request: pytest.FixtureRequest
    ) -> None:
        algorithm = request.node.callspec.params["issuer"]
        assert [key["alg"] for key in issuer.jwks()["keys"]] == [algorithm]
        assert outcome(issuer.mint(sub="ada")) == "ada"
        assert issuer.fetches == 1

    def test_an_issuer_has_every_algorithm_of_the_api(self) -> None:
        assert sorted(KEY_SET_ALGORITHMS) == sorted(jwks.KEY_SET_ALGORITHMS)

    @pytest.mark.parametrize("algorithm", ["HS256", "ES384", "none"])
    def test_an_issuer_refuses_other_algorithms(self, algorithm: str) -> None:
        with pytest.raises(ValueError, match="use EdDSA, ES256"):
            Issuer(algorithm=algorithm)

    def test_a_rotated_key_keeps_the_algorithm(self) -> None:
        issuer = Issuer(algorithm="ES512")
        issuer.rotate()
        assert [key["alg"] for key in issuer.jwks()["keys"]] == ["ES512", "ES512"]

    def test_tokens_of_a_withdrawn_key_are_refused(self, issuer: Issuer, clock: Clock) -> None:
        withdrawn = issuer.kid
        assert outcome(issuer.mint()) == "alice"
        issuer.rotate()
        issuer.withdraw(withdrawn)
        assert [key["kid"] for key in issuer.jwks()["keys"]] == [issuer.kid]
        clock.advance(COOLDOWN_SECONDS)
        assert outcome(issuer.mint()) == "alice"
        assert outcome(issuer.mint(kid=withdrawn)) == "key_unknown"


class TestClock:
    @pytest.mark.parametrize("source", ["issuer", "secret_issuer"])
    def test_a_token_expires_by_the_clock(
        self, request: pytest.FixtureRequest, clock: Clock, source: str
    ) -> None:
        issuer: Issuer | SecretIssuer = request.getfixturevalue(source)
        token = issuer.mint()
        clock.advance(LIFETIME_SECONDS + LEEWAY_SECONDS - 0.001)
        assert outcome(token) == "alice"
        clock.advance(0.001)
        assert outcome(token) == "token_expired"
        assert outcome(issuer.mint()) == "alice"

    def test_the_clock_starts_at_the_present_second_and_stands_still(self, clock: Clock) -> None:
        assert 0 <= time.time() - clock() < 60
        assert clock() == int(clock())
        assert clock() == clock()


class TestAnotherClock:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(0)

    def test_an_overridden_clock_does_not_verify_tokens(
        self, clock: Clock, issuer: Issuer, mint: Mint
    ) -> None:
        clock.advance(1)
        assert outcome(issuer.mint()) == outcome(mint()) == "alice"


class TestMint:
    @pytest.mark.parametrize("claim", ["sub", "exp"])
    def test_none_omits_a_claim_of_a_secret_token(self, mint: Mint, claim: str) -> None:
        assert outcome(mint(**{claim: None})) == "claim_missing"


class TestBearer:
    def test_each_request_sends_the_token(self, bearer: Bearer) -> None:
        request: Any = bearer("a.b.c").get("/").wsgi_request
        assert request.headers["Authorization"] == "Bearer a.b.c"


class TestSettings:
    @pytest.mark.parametrize("test", ["one", "the next"])
    def test_each_test_fetches_its_own_keys(self, issuer: Issuer, test: str) -> None:
        assert get_verifier().verify(issuer.mint())
        assert issuer.fetches == 1
