from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest

from authn.claims import MAX_NUMERIC_DATE, ClaimPolicy
from authn.exceptions import (
    AudienceMismatch,
    ClaimInvalid,
    ClaimMissing,
    IssuerMismatch,
    SubjectInvalid,
    TokenBound,
    TokenExpired,
    TokenNotYetValid,
    TokenRejected,
)
from authn.testing import Clock, Issuer
from authn.tests.language import LEEWAY_SECONDS


def reason_against(issuer: Issuer, **claims: Any) -> type[TokenRejected] | None:
    """Return the refusal of a token with these claims, ``None`` if it is accepted."""
    try:
        issuer.verifier(leeway_seconds=LEEWAY_SECONDS).verify(issuer.mint(**claims))
    except TokenRejected as reason:
        return type(reason)
    return None


@pytest.mark.parametrize("claim", ["exp", "sub", "iss", "aud"])
def test_exp_sub_iss_and_aud_are_required(issuer: Issuer, claim: str) -> None:
    assert reason_against(issuer, **{claim: None}) is ClaimMissing


@pytest.mark.parametrize("claim", ["iat", "nbf", "email", "name"])
def test_iat_nbf_email_and_name_may_be_absent(issuer: Issuer, claim: str) -> None:
    assert reason_against(issuer, **{claim: None}) is None


def test_a_token_is_accepted_until_the_leeway_ends(issuer: Issuer, clock: Clock) -> None:
    expires_at = clock.now
    assert reason_against(issuer, exp=expires_at) is None
    clock.advance(LEEWAY_SECONDS - 0.001)
    assert reason_against(issuer, exp=expires_at) is None
    clock.advance(0.001)
    assert reason_against(issuer, exp=expires_at) is TokenExpired


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_is_accepted_once_the_leeway_begins(
    issuer: Issuer, clock: Clock, claim: str
) -> None:
    assert reason_against(issuer, **{claim: clock.now + LEEWAY_SECONDS}) is None
    assert reason_against(issuer, **{claim: clock.now + LEEWAY_SECONDS + 0.001}) is TokenNotYetValid


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value",
    ["1900000000", True, False, [], {}, [1_900_000_000], MAX_NUMERIC_DATE + 1, -1e300, 1e300],
)
def test_a_time_that_is_not_a_numeric_date_is_refused(
    issuer: Issuer, claim: str, value: Any
) -> None:
    assert reason_against(issuer, **{claim: value}) is ClaimInvalid


def test_the_last_second_of_the_year_9999_is_a_time(issuer: Issuer) -> None:
    assert datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp() == MAX_NUMERIC_DATE
    assert reason_against(issuer, exp=MAX_NUMERIC_DATE) is None


@pytest.mark.parametrize(
    "subject",
    [
        "",
        " ",
        "\t",
        "\u00a0",
        "\u2003",
        "\u200b\ufeff",
        "a\x00b",
        "a\nb",
        "\x7f",
        "a\x85",
        "\ud800",
        "x" * 256,
        7,
        ["a"],
    ],
    ids=repr,
)
def test_an_invisible_or_oversized_subject_is_refused(issuer: Issuer, subject: Any) -> None:
    assert reason_against(issuer, sub=subject) is SubjectInvalid


@pytest.mark.parametrize("subject", ["1", "x" * 255, "a b", "auth0|1", "ÅÅ", "😀", "' OR 1=1 --"])
def test_a_subject_is_taken_to_the_letter(issuer: Issuer, subject: str) -> None:
    assert issuer.verifier().verify(issuer.mint(sub=subject)).subject == subject


@pytest.mark.parametrize(
    ("issuer_claim", "reason"),
    [
        ("https://auth.example.com/", IssuerMismatch),
        ("https://AUTH.example.com", IssuerMismatch),
        ("http://auth.example.com", IssuerMismatch),
        ("https://auth.example.com.evil.example", IssuerMismatch),
        ("", IssuerMismatch),
        (["https://auth.example.com"], ClaimInvalid),
        (1, ClaimInvalid),
    ],
)
def test_another_issuer_is_refused(
    issuer: Issuer, issuer_claim: Any, reason: type[TokenRejected]
) -> None:
    assert reason_against(issuer, iss=issuer_claim) is reason


@pytest.mark.parametrize(
    ("audience", "reason"),
    [
        (["https://other.example", "https://auth.example.com"], None),
        ("better-auth:session-cache", AudienceMismatch),
        ("https://auth.example.com/", AudienceMismatch),
        ("https://auth.example.co", AudienceMismatch),
        ("", AudienceMismatch),
        ([], AudienceMismatch),
        (["https://other.example"], AudienceMismatch),
        (["https://auth.example.com", 1], ClaimInvalid),
        ([["https://auth.example.com"]], ClaimInvalid),
        ({"https://auth.example.com": 1}, ClaimInvalid),
        (1, ClaimInvalid),
    ],
    ids=repr,
)
def test_the_audience_must_name_this_api(
    issuer: Issuer, audience: Any, reason: type[TokenRejected] | None
) -> None:
    assert reason_against(issuer, aud=audience) is reason


@pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": 1}], ids=repr)
def test_a_jti_that_is_not_a_string_is_refused(issuer: Issuer, value: Any) -> None:
    assert reason_against(issuer, jti=value) is ClaimInvalid
    assert reason_against(issuer, jti="7") is None


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf"])
def test_a_registered_claim_that_is_null_is_refused(claim: str) -> None:
    """RFC 7519 section 4.1 gives each registered claim a type."""
    policy = ClaimPolicy(issuer="i", audiences=frozenset("a"))
    payload = {"sub": "alice", "exp": 2_000_000_000, "iss": "i", "aud": "a"}
    assert policy.check(payload, now=1_900_000_000, leeway_seconds=0)
    reasons: dict[str, type[TokenRejected]] = {"sub": SubjectInvalid, "cnf": TokenBound}
    with pytest.raises(reasons.get(claim, ClaimInvalid)):
        policy.check({**payload, claim: None}, now=1_900_000_000, leeway_seconds=0)


@pytest.mark.parametrize(
    "value", [{"jkt": "x"}, {"x5t#S256": "x"}, {"jwk": {}}, {}, [], "", "x", 0, False], ids=repr
)
def test_a_token_that_is_bound_to_a_key_is_refused(issuer: Issuer, value: Any) -> None:
    assert reason_against(issuer, cnf=value) is TokenBound


class TestOptionalIssuerAndAudience:
    """The shared secret without an issuer or audience: present claims must match all the same."""

    @pytest.mark.parametrize(
        ("policy", "claims", "reason"),
        [
            (ClaimPolicy(), {}, None),
            (ClaimPolicy(), {"iss": "https://a.example"}, IssuerMismatch),
            (ClaimPolicy(), {"aud": "https://a.example"}, AudienceMismatch),
            (ClaimPolicy(issuer="https://a.example"), {}, None),
            (ClaimPolicy(issuer="https://a.example"), {"iss": "https://b.example"}, IssuerMismatch),
            (ClaimPolicy(audiences=frozenset({"a"})), {}, None),
            (ClaimPolicy(audiences=frozenset({"a"})), {"aud": "b"}, AudienceMismatch),
            (ClaimPolicy(issuer="i", issuer_required=True), {}, ClaimMissing),
            (ClaimPolicy(audiences=frozenset("a"), audience_required=True), {}, ClaimMissing),
        ],
    )
    def test_present_claims_must_match_and_absent_ones_may_be_missing(
        self, policy: ClaimPolicy, claims: dict[str, Any], reason: type[TokenRejected] | None
    ) -> None:
        payload = {"sub": "alice", "exp": 2_000_000_000, **claims}
        expectation = pytest.raises(reason) if reason else nullcontext()
        with expectation:
            policy.check(payload, now=1_900_000_000, leeway_seconds=0)


def test_id_and_email_do_not_replace_sub(issuer: Issuer) -> None:
    """Better Auth signs e-mail verification links with the same secret, without a ``sub``."""
    claims: dict[str, Any] = {"id": "alice", "email": "alice@example.com", "user": {"id": "alice"}}
    assert reason_against(issuer, sub=None, **claims) is ClaimMissing


@pytest.mark.parametrize(
    "value", [1, ["a@example.com"], {"a": 1}, True, "\ud800", "x\udfff"], ids=repr
)
def test_an_email_or_name_that_is_not_text_counts_as_absent(issuer: Issuer, value: Any) -> None:
    claims = issuer.verifier().verify(issuer.mint(email=value, name=value))
    assert (claims.email, claims.name) == (None, None)
