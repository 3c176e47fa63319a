"""Remembered tokens: a repeat skips the signature, and no other check."""

from __future__ import annotations

import gc
import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from types import FunctionType, ModuleType
from typing import Any

import pytest
from jwt.algorithms import Algorithm, HMACAlgorithm, OKPAlgorithm
from pytest_django import Settings

from authn.claims import ClaimPolicy, Claims
from authn.conf import get_verifier
from authn.exceptions import (
    AlgorithmUnsupported,
    KeyAmbiguous,
    KeysUnavailable,
    KeyUnknown,
    SignatureInvalid,
    TokenExpired,
    TokenNotYetValid,
    TokenRejected,
)
from authn.jwks import VerificationKey
from authn.keys import GRACE_SECONDS, MAX_AGE_SECONDS, REFRESH_AFTER_SECONDS, KeySet
from authn.testing import (
    Clock,
    Issuer,
    Mint,
    SecretIssuer,
    new_private_key,
)
from authn.tests.language import (
    LEEWAY_SECONDS,
    key_set_trust,
    refused,
    remembered,
    secret_trust,
    settle,
    with_other_unused_bits,
)
from authn.verifier import (
    MAX_REMEMBERED_CHARACTERS,
    MAX_REMEMBERED_TOKENS,
    TokenVerifier,
    Trust,
)

DAY = 24 * 60 * 60


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """List each signature that PyJWT verifies, repeats included."""
    verified: list[bytes] = []

    def counting(verify: Callable[..., bool]) -> Callable[..., bool]:
        def verify_and_count(self: Algorithm, message: bytes, key: Any, signature: bytes) -> bool:
            verified.append(signature)
            return verify(self, message, key, signature)

        return verify_and_count

    for algorithm in (HMACAlgorithm, OKPAlgorithm):
        monkeypatch.setattr(algorithm, "verify", counting(algorithm.verify))
    return verified


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return issuer.verifier(leeway_seconds=LEEWAY_SECONDS)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, str]]:
    """List the kid and algorithm of each ``KeySet.key_for`` call."""
    questions: list[tuple[str | None, str]] = []
    key_for = KeySet.key_for

    def key_for_and_tell(keys: KeySet, **header: Any) -> VerificationKey:
        questions.append((header["kid"], header["algorithm"]))
        return key_for(keys, **header)

    monkeypatch.setattr(KeySet, "key_for", key_for_and_tell)
    return questions


def refresh(verifier: TokenVerifier, token: str, clock: Clock) -> None:
    """Age the key set until a repeat of ``token`` starts a fetch, and wait for its end."""
    clock.advance(REFRESH_AFTER_SECONDS)
    verifier.verify(token)
    settle(verifier._trusts[0].keys)


def withdraw_the_key(issuer: Issuer) -> None:
    issuer.withdraw(issuer.kid)
    issuer.rotate()


def replace_the_key(algorithm: str) -> Callable[[Issuer], None]:
    """Change the key of the current kid."""

    def replace(issuer: Issuer) -> None:
        issuer.keys[issuer.kid] = (algorithm, new_private_key(algorithm))

    return replace


def spelled_otherwise(token: str) -> Iterator[str]:
    """Yield ``token`` with another character in one place, for each place."""
    for position, character in enumerate(token):
        other = "A" if character != "A" else "B"
        yield token[:position] + other + token[position + 1 :]


class TestRepeat:
    def test_no_signature_is_verified_twice(
        self, verifier: TokenVerifier, issuer: Issuer, signatures: list[bytes]
    ) -> None:
        token = issuer.mint(email="a@example.com", name="Alice")
        claims = verifier.verify(token)
        assert [verifier.verify(token) for _ in range(3)] == [claims] * 3
        assert (claims.subject, claims.email, claims.name) == ("alice", "a@example.com", "Alice")
        assert len(signatures) == 1

    def test_a_token_that_differs_in_one_character_is_refused(
        self, verifier: TokenVerifier, issuer: Issuer
    ) -> None:
        token = issuer.mint()
        verifier.verify(token)
        for other in spelled_otherwise(token):
            refused(verifier, other)
        for other in (f"{token}=", f"{token}\n", f" {token}", token[:-1], f"{token}\ud800"):
            refused(verifier, other)
        assert refused(verifier, with_other_unused_bits(token)) is SignatureInvalid
        assert verifier.verify(token)


class TestTime:
    def test_a_repeat_is_accepted_until_the_leeway_ends(
        self, verifier: TokenVerifier, issuer: Issuer, clock: Clock, signatures: list[bytes]
    ) -> None:
        token = issuer.mint(exp=clock.now + 60)
        verifier.verify(token)
        clock.advance(60 + LEEWAY_SECONDS - 0.001)
        assert verifier.verify(token)
        assert len(signatures) == 1
        clock.advance(0.001)
        assert refused(verifier, token) is TokenExpired
        assert not verifier._remembered

    @pytest.mark.parametrize("claim", ["nbf", "iat"])
    def test_a_repeat_before_nbf_or_iat_is_refused(
        self,
        verifier: TokenVerifier,
        issuer: Issuer,
        clock: Clock,
        claim: str,
        signatures: list[bytes],
    ) -> None:
        begins_at = clock.now
        times: dict[str, Any] = {"iat": None, claim: begins_at}
        token = issuer.mint(**times)
        verifier.verify(token)
        clock.now = begins_at - LEEWAY_SECONDS
        assert verifier.verify(token)
        assert len(signatures) == 1
        clock.now = begins_at - LEEWAY_SECONDS - 0.001
        assert refused(verifier, token) is TokenNotYetValid
        clock.now = begins_at
        assert verifier.verify(token)

    def test_an_expired_repeat_is_refused_with_the_payload_of_a_new_token(
        self, verifier: TokenVerifier, issuer: Issuer, clock: Clock
    ) -> None:
        token = issuer.mint(exp=clock.now + 60, roles=["reader"], nested={"a": [1]})
        verifier.verify(token)
        clock.advance(3600)
        for each in (verifier, issuer.verifier()):
            with pytest.raises(TokenExpired) as caught:
                each.verify(token)
            assert caught.value.payload
            assert caught.value.payload["roles"] == ["reader"]
            assert caught.value.payload["nested"] == {"a": [1]}
            assert caught.value.refused_at == clock.now


class TestKeys:
    @pytest.mark.parametrize(
        ("header", "change", "refusal"),
        [
            ({}, withdraw_the_key, KeyUnknown),
            ({}, replace_the_key("EdDSA"), SignatureInvalid),
            ({}, replace_the_key("ES256"), AlgorithmUnsupported),
            ({"kid": None}, Issuer.rotate, KeyAmbiguous),
        ],
        ids=["withdrawn", "replaced", "another algorithm", "ambiguous"],
    )
    def test_a_token_is_refused_after_a_refresh_changes_its_key(
        self,
        verifier: TokenVerifier,
        issuer: Issuer,
        clock: Clock,
        header: dict[str, Any],
        change: Callable[[Issuer], object],
        refusal: type[TokenRejected],
    ) -> None:
        token = issuer.mint(header=header)
        verifier.verify(token)
        change(issuer)
        refresh(verifier, token, clock)
        assert not remembered(verifier, token)
        assert refused(verifier, token) is refusal
        assert not verifier._remembered
        assert verifier.verify(issuer.mint())

    @pytest.mark.parametrize("broken", [False, True], ids=["same key", "failed"])
    def test_a_refresh_without_change_verifies_no_signature_again(
        self,
        verifier: TokenVerifier,
        issuer: Issuer,
        clock: Clock,
        signatures: list[bytes],
        broken: bool,
    ) -> None:
        token = issuer.mint()
        verifier.verify(token)
        issuer.broken = broken
        refresh(verifier, token, clock)
        for _ in range(3):
            assert verifier.verify(token)
        assert (issuer.fetches, len(signatures)) == (2, 1)

    def test_a_repeat_asks_once_for_dead_keys_and_raises_keys_unavailable(
        self,
        verifier: TokenVerifier,
        issuer: Issuer,
        clock: Clock,
        asked: list[tuple[str | None, str]],
    ) -> None:
        token = issuer.mint(exp=clock.now + DAY)
        verifier.verify(token)
        issuer.broken = True
        clock.advance(MAX_AGE_SECONDS + GRACE_SECONDS - 0.001)
        assert verifier.verify(token)
        settle(verifier._trusts[0].keys)
        clock.advance(0.001)
        asked.clear()
        with pytest.raises(KeysUnavailable) as caught:
            verifier.verify(token)
        assert len(asked) == 1
        assert caught.value.retry_after_seconds == 10
        issuer.broken = False
        clock.advance(10)
        assert verifier.verify(token)

    @pytest.mark.parametrize("header", [{}, {"kid": None}, {"alg": "Ed25519"}], ids=json.dumps)
    def test_a_repeat_looks_up_the_same_key_as_the_first_request(
        self,
        verifier: TokenVerifier,
        issuer: Issuer,
        header: dict[str, Any],
        asked: list[tuple[str | None, str]],
    ) -> None:
        token = issuer.mint(header=header)
        for _ in range(3):
            verifier.verify(token)
        assert asked == [(header.get("kid", issuer.kid), "EdDSA")] * 3

    def test_a_key_replaced_during_verification_is_not_trusted_later(
        self, issuer: Issuer, clock: Clock
    ) -> None:
        class Replaced:
            """Keys that a refresh replaces after ``key_for`` and before the end of ``verify``."""

            def __init__(self) -> None:
                old, new = (issuer.keys[kid][1].public_key() for kid in (first, second))
                self.answers = [VerificationKey(old, "EdDSA"), VerificationKey(new, "EdDSA")]

            def key_for(self, **header: Any) -> VerificationKey:
                return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

            def require_any(self) -> None:
                pass

            def age_seconds(self) -> None:
                pass

        first, second = issuer.kid, issuer.rotate()
        policy = ClaimPolicy(issuer=issuer.url, audiences=frozenset({issuer.url}))
        trust = Trust(algorithms=frozenset({"EdDSA"}), keys=Replaced(), policy=policy)
        verifier = TokenVerifier([trust], clock=clock)
        token = issuer.mint(kid=first)
        assert verifier.verify(token)
        assert refused(verifier, token) is SignatureInvalid


class TestRemembers:
    def test_only_an_accepted_token_is_remembered(
        self, verifier: TokenVerifier, issuer: Issuer, signatures: list[bytes]
    ) -> None:
        token, new = issuer.mint(), issuer.mint(sub="bob")
        assert not remembered(verifier, token)
        verifier.verify(token)
        assert remembered(verifier, token)
        assert not remembered(verifier, new)
        assert not any(remembered(verifier, each) for each in spelled_otherwise(token))
        assert len(signatures) == 1

    def test_an_expired_token_is_no_longer_remembered(
        self, verifier: TokenVerifier, issuer: Issuer, clock: Clock
    ) -> None:
        token = issuer.mint(exp=clock.now + 60)
        verifier.verify(token)
        clock.advance(60 + LEEWAY_SECONDS - 0.001)
        assert remembered(verifier, token)
        clock.advance(0.001)
        assert not remembered(verifier, token)

    def test_no_token_counts_as_remembered_without_keys(
        self, verifier: TokenVerifier, issuer: Issuer, clock: Clock
    ) -> None:
        token = issuer.mint(exp=clock.now + DAY)
        verifier.verify(token)
        issuer.broken = True
        clock.advance(MAX_AGE_SECONDS + GRACE_SECONDS)
        assert not remembered(verifier, token)

    @pytest.mark.parametrize("token", ["", "undefined", "a.b.\ud800", "x" * 30_000])
    def test_garbage_is_not_remembered(self, verifier: TokenVerifier, token: str) -> None:
        assert not remembered(verifier, token)


class TestSettings:
    def test_a_new_secret_refuses_a_token_of_the_old_secret(
        self, settings: Settings, mint: Mint
    ) -> None:
        token = mint()
        assert get_verifier().verify(token) is get_verifier().verify(token)
        settings.BETTER_AUTH_SECRET = "another secret of more than 32 bytes"
        assert refused(get_verifier(), token) is SignatureInvalid

    def test_restored_settings_verify_every_signature_again(
        self, settings: Settings, mint: Mint, signatures: list[bytes]
    ) -> None:
        token = mint()
        get_verifier().verify(token)
        settings.BETTER_AUTH_LEEWAY = 5
        assert get_verifier().verify(token)
        settings.BETTER_AUTH_LEEWAY = 30
        assert get_verifier().verify(token)
        assert len(signatures) == 3


class TestTwoSources:
    @pytest.fixture
    def verifier(self, issuer: Issuer, clock: Clock) -> TokenVerifier:
        policy = ClaimPolicy(issuer=issuer.url, audiences=frozenset({issuer.url}))
        required = replace(policy, issuer_required=True, audience_required=True)
        trusts = [secret_trust(policy), key_set_trust(issuer, required)]
        return TokenVerifier(trusts, clock=clock)

    def test_headers_swapped_between_two_sources_are_refused(
        self, verifier: TokenVerifier, issuer: Issuer, secret_issuer: SecretIssuer
    ) -> None:
        headers, rests = zip(
            *(token.split(".", 1) for token in (issuer.mint(), secret_issuer.mint(sub="bob"))),
            strict=True,
        )
        for header, rest in zip(headers, rests, strict=True):
            verifier.verify(f"{header}.{rest}")
        for header, rest in zip(headers, reversed(rests), strict=True):
            assert refused(verifier, f"{header}.{rest}") is SignatureInvalid

    def test_an_outage_of_the_issuer_leaves_tokens_of_the_secret_valid(
        self, verifier: TokenVerifier, issuer: Issuer, secret_issuer: SecretIssuer, clock: Clock
    ) -> None:
        theirs, ours = issuer.mint(exp=clock.now + DAY), secret_issuer.mint(exp=clock.now + DAY)
        for token in (theirs, ours):
            verifier.verify(token)
        issuer.broken = True
        clock.advance(MAX_AGE_SECONDS + GRACE_SECONDS)
        assert verifier.verify(ours)
        with pytest.raises(KeysUnavailable):
            verifier.verify(theirs)


class TestMemory:
    def test_the_limits_are_the_documented_ones(self) -> None:
        assert (MAX_REMEMBERED_TOKENS, MAX_REMEMBERED_CHARACTERS) == (4096, 2048)

    def test_a_token_over_the_limit_replaces_the_oldest(
        self,
        secret_issuer: SecretIssuer,
        signatures: list[bytes],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("authn.verifier.MAX_REMEMBERED_TOKENS", 3)
        verifier = secret_issuer.verifier()
        tokens = [secret_issuer.mint(sub=f"user-{number}") for number in range(5)]
        for number, token in enumerate(tokens, start=1):
            verifier.verify(token)
            assert len(verifier._remembered) == min(number, 3)
        for token in tokens[2:]:
            verifier.verify(token)
        assert len(signatures) == 5
        verifier.verify(tokens[1])
        assert len(signatures) == 6

    def test_a_token_of_more_than_2_kib_is_verified_every_time(
        self, secret_issuer: SecretIssuer, signatures: list[bytes]
    ) -> None:
        verifier = secret_issuer.verifier()
        by_length = {
            len(token): token
            for token in (secret_issuer.mint(name="x" * size) for size in range(1350, 1550))
        }
        short, long = by_length[2048], by_length[min(size for size in by_length if size > 2048)]
        for _ in range(2):
            verifier.verify(short)
        assert (len(signatures), len(verifier._remembered)) == (1, 1)
        for _ in range(2):
            verifier.verify(long)
        assert (len(signatures), len(verifier._remembered)) == (3, 1)

    @pytest.mark.parametrize(
        "refuse",
        [
            lambda issuer: issuer.mint(exp=1),
            lambda issuer: issuer.mint(nbf=9_999_999_999),
            lambda issuer: issuer.mint(sub=None),
            lambda issuer: issuer.mint(aud="others"),
            lambda issuer: issuer.mint(header={"crit": ["x"]}),
            lambda issuer: issuer.mint(header={"kid": "unknown"}),
            lambda issuer: f"{issuer.mint()[:-8]}AAAAAAAA",
            lambda issuer: "no token",
            lambda issuer: "a.b.\ud800",
        ],
        ids=["exp", "nbf", "sub", "aud", "crit", "kid", "signature", "no token", "no text"],
    )
    def test_a_refused_token_is_not_remembered(
        self, verifier: TokenVerifier, issuer: Issuer, refuse: Callable[[Issuer], str]
    ) -> None:
        token = refuse(issuer)
        assert refused(verifier, token) is refused(verifier, token)
        assert not verifier._remembered

    def test_no_token_can_be_read_from_a_verifier(
        self, verifier: TokenVerifier, issuer: Issuer
    ) -> None:
        token = issuer.mint(email="a@example.com")
        verifier.verify(token)
        texts = {
            text if isinstance(text, str) else text.decode("latin-1")
            for text in reachable(verifier)
            if isinstance(text, str | bytes)
        }
        assert "a@example.com" in texts, "the search did not reach the remembered claims"
        assert not [part for part in token.split(".") for text in texts if part in text]

    def test_a_token_is_remembered_by_its_sha256_digest(
        self, verifier: TokenVerifier, issuer: Issuer
    ) -> None:
        token = issuer.mint()
        verifier.verify(token)
        assert list(verifier._remembered) == [sha256(token.encode()).digest()]


class TestThreads:
    def test_threads_get_the_claims_of_their_own_token(
        self, secret_issuer: SecretIssuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("authn.verifier.MAX_REMEMBERED_TOKENS", 8)
        verifier = secret_issuer.verifier()
        lock = verifier._remembering

        class Guarded(OrderedDict[bytes, Any]):
            def __setitem__(self, digest: bytes, verified: Any) -> None:
                assert lock.locked()
                super().__setitem__(digest, verified)

            def popitem(self, last: bool = True) -> tuple[bytes, Any]:
                assert lock.locked()
                return super().popitem(last)

            def pop(self, digest: bytes, default: Any = None) -> Any:
                assert lock.locked()
                return super().pop(digest, default)

        verifier._remembered = Guarded()
        tokens = {f"user-{n}": secret_issuer.mint(sub=f"user-{n}") for n in range(20)}

        def ask(start: int) -> None:
            for number in range(start, start + 300):
                subject = f"user-{number * (start + 1) % 20}"
                assert verifier.verify(tokens[subject]).subject == subject
                assert len(verifier._remembered) <= 9, (
                    "more than the bound and the token being added"
                )

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(ask, range(4)))
        finally:
            sys.setswitchinterval(interval)
        assert len(verifier._remembered) == 8
        clock.advance(DAY)
        for token in tokens.values():
            refused(verifier, token)
        assert not verifier._remembered

    @pytest.mark.parametrize(
        "change",
        [
            lambda claims: setattr(claims, "subject", "bob"),
            lambda claims: claims.payload.update(sub="bob"),
            lambda claims: claims.payload.__setitem__("sub", "bob"),
            lambda claims: claims.payload["roles"].append("admin"),
            lambda claims: claims.payload["roles"].__setitem__(0, "admin"),
            lambda claims: claims.payload["teams"][0].__setitem__("name", "admins"),
            lambda claims: claims.payload["teams"][0]["roles"].append("admin"),
        ],
        ids=["attribute", "update", "claim", "append", "array", "object", "nested"],
    )
    def test_claims_shared_between_requests_are_read_only(
        self, verifier: TokenVerifier, issuer: Issuer, change: Callable[[Claims], object]
    ) -> None:
        teams = [{"name": "todos", "roles": ["reader"]}]
        token = issuer.mint(roles=["reader"], teams=teams)
        with pytest.raises((AttributeError, TypeError)):
            change(verifier.verify(token))
        claims = verifier.verify(token)
        assert claims.subject == claims.payload["sub"] == "alice"
        assert json.loads(json.dumps(claims.payload, default=dict))["teams"] == teams


def reachable(root: object) -> Iterator[object]:
    """Yield all objects that ``root`` refers to, except classes, modules and functions."""
    seen: set[int] = set()
    found = [root]
    while found:
        each = found.pop()
        if id(each) in seen or isinstance(each, type | ModuleType | FunctionType):
            continue
        seen.add(id(each))
        yield each
        found += gc.get_referents(each)
