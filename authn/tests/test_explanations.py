"""Explanations of a refused token for its holder."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from authn.conf import get_verifier
from authn.exceptions import AuthnError, TokenRejected
from authn.explanations import duration, facts
from authn.testing import Clock, Issuer, Mint


def explained(token: str) -> str:
    with pytest.raises(AuthnError) as caught:
        get_verifier().verify(token)
    return " ".join(facts(caught.value))


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"exp": -180}, "It expired 3 minutes ago."),
        ({"exp": -31}, "It expired 31 seconds ago."),
        ({"exp": -31, "nbf": "soon"}, "It expired 31 seconds ago."),
        ({"nbf": 7200}, "It becomes valid 2 hours from now."),
        ({"nbf": 7200, "iat": "now"}, "It becomes valid 2 hours from now."),
        ({"exp": -31, "nbf": 10**400}, "It expired 31 seconds ago."),
        ({"iat": 90}, "Its issue time is 1 minute from now."),
    ],
)
def test_times_are_told_relative_to_now(
    mint: Mint, clock: Clock, claims: dict[str, Any], text: str
) -> None:
    now = int(clock())
    moments = {name: now + each if isinstance(each, int) else each for name, each in claims.items()}
    assert explained(mint(**moments)) == text


def test_a_wrong_issuer_or_audience_is_told_with_the_expected_one(
    mint: Mint, settings: Settings
) -> None:
    settings.BETTER_AUTH_URL = "https://app.example.com"
    assert explained(mint(iss="https://evil.example")) == (
        "Its issuer is https://evil.example; this API expects https://app.example.com."
    )
    assert explained(mint(aud=["shop", "blog"])) == (
        "Its audience is shop, blog; this API expects https://app.example.com."
    )


def test_half_a_surrogate_pair_is_replaced(mint: Mint, settings: Settings) -> None:
    settings.BETTER_AUTH_AUDIENCE = ["todos"]
    assert explained(mint(aud="\ud800")) == "Its audience is ?; this API expects todos."
    assert explained(mint(sub=None, aud="todos", **{"\ud800": 1})).encode()


def test_the_claims_present_are_told_if_one_is_missing(mint: Mint) -> None:
    assert explained(mint(sub=None)) == "Its claims are exp, iat."


def test_the_url_of_unavailable_keys_is_told(issuer: Issuer) -> None:
    issuer.broken = True
    assert explained(issuer.mint()) == "This API asked https://auth.example.com/api/auth/jwks"


def test_unsigned_claims_are_not_told(mint: Mint) -> None:
    token = mint(exp=1)
    with pytest.raises(TokenRejected) as caught:
        get_verifier().verify(token[:-6] + "AAAAAA")
    assert caught.value.payload is None
    assert not [*facts(caught.value)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (7199, "1 hour"),
        (200_000, "2 days"),
    ],
)
def test_a_duration_is_in_its_largest_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text
