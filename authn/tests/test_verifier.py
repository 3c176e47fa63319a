"""Tokens that are accepted and tokens that are refused, hostile ones included."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from authn.claims import ClaimPolicy
from authn.exceptions import (
    AlgorithmUnsupported,
    HeaderUnsupported,
    KeysUnavailable,
    KeyUnknown,
    SignatureInvalid,
    TokenMalformed,
    TokenRejected,
    TokenTooLong,
    TypeUnsupported,
)
from authn.jose_header import MAX_TOKEN_CHARACTERS
from authn.jwks import VerificationKey
from authn.keys import KeySet
from authn.testing import KEY_SET_ALGORITHMS, SECRET, Issuer, SecretIssuer, forge, jwk
from authn.tests.language import (
    key_set_trust,
    refused,
    secret_trust,
)
from authn.verifier import TokenVerifier, Trust


@pytest.mark.parametrize("algorithm", KEY_SET_ALGORITHMS)
def test_a_token_of_the_key_set_is_accepted(algorithm: str) -> None:
    issuer = Issuer(algorithm=algorithm)
    claims = issuer.verifier().verify(issuer.mint(sub="alice", email="a@example.com", name="Alice"))
    assert (claims.subject, claims.email, claims.name) == ("alice", "a@example.com", "Alice")


def test_a_token_with_alg_ed25519_is_accepted(issuer: Issuer) -> None:
    token = issuer.mint(header={"alg": "Ed25519"})
    assert issuer.verifier().verify(token).subject == "alice"


def test_a_key_with_alg_ed25519_verifies_eddsa_tokens() -> None:
    issuer = Issuer()
    published = json.dumps({"keys": [{**issuer.jwks()["keys"][0], "alg": "Ed25519"}]}).encode()
    issuer.fetch = lambda: published  # type: ignore[method-assign]
    assert issuer.verifier().verify(issuer.mint()).subject == "alice"


@pytest.mark.parametrize("algorithm", KEY_SET_ALGORITHMS)
def test_a_token_signed_with_another_key_is_refused(algorithm: str) -> None:
    issuer, impostor = Issuer(algorithm=algorithm), Issuer(algorithm="EdDSA")
    impostor.rotate(algorithm)
    if algorithm in ("RS256", "PS256"):
        while impostor.keys[impostor.kid][1] == issuer.keys[issuer.kid][1]:
            impostor.rotate()
    token = impostor.mint(header={"kid": issuer.kid})
    assert refused(issuer.verifier(), token) is SignatureInvalid


@pytest.mark.parametrize("segment", [0, 1, 2], ids=["header", "payload", "signature"])
def test_a_token_with_one_character_changed_is_refused(issuer: Issuer, segment: int) -> None:
    verifier, token = issuer.verifier(), issuer.mint()
    parts = token.split(".")
    for position in range(len(parts[segment])):
        changed = list(parts[segment])
        changed[position] = "A" if changed[position] != "A" else "B"
        altered = [*parts[:segment], "".join(changed), *parts[segment + 1 :]]
        assert issubclass(refused(verifier, ".".join(altered)), TokenRejected)


MALFORMED = {
    "empty": "",
    "one segment": "abc",
    "two segments": "abc.def",
    "four segments": "a.b.c.d",
    "empty signature": "eyJhbGciOiJub25lIn0.e30.",
    "opaque session token": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI",
    "signed session token": "abcdefghijklmnopqrstuvwxyz012345.c2lnbmF0dXJl+/=",
    "percent": "a%2e.b.c",
    "space inside": "a.b .c",
    "newline at the end": "a.b.c\n",
    "non-ASCII digit": "a.b.\u0661",
    "lone surrogate": "a.b.\ud800",
    "NUL": "a.b\x00.c",
    "header no base64": "a.e30.c2ln",
    "header no JSON": "bm90IGpzb24.e30.c2ln",
    "header a list": "W10.e30.c2ln",
    "header a string": "ImFsZyI.e30.c2ln",
    "header nested deeply": forge(
        header=b'{"alg":' + b"[" * 5000, payload={}, key=b"k" * 32, algorithm="HS256"
    ),
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED.keys())
def test_text_that_is_not_a_token_is_malformed(issuer: Issuer, token: str) -> None:
    assert refused(issuer.verifier(), token) is TokenMalformed
    assert issuer.fetches == 0


def test_base64_padding_is_malformed(issuer: Issuer) -> None:
    header, payload, signature = issuer.mint().split(".")
    for token in (f"{header}=.{payload}.{signature}", f"{header}.{payload}.{signature}=="):
        assert refused(issuer.verifier(), token) is TokenMalformed


def test_a_token_may_have_8_kib_and_not_one_character_more() -> None:
    issuer = SecretIssuer(SECRET)
    size = next(
        size
        for size in range(5900, 6150)
        if len(issuer.mint(name="x" * size)) == MAX_TOKEN_CHARACTERS
    )
    assert issuer.verifier().verify(issuer.mint(name="x" * size))
    assert refused(issuer.verifier(), issuer.mint(name="x" * (size + 1))) is TokenTooLong


def test_overlong_text_is_too_long_before_it_is_malformed(issuer: Issuer) -> None:
    for token in ("x" * (MAX_TOKEN_CHARACTERS + 1), "a" * MAX_TOKEN_CHARACTERS + ".b.c"):
        assert refused(issuer.verifier(), token) is TokenTooLong
    assert issuer.fetches == 0


AMBIGUOUS_JSON = {
    "a name twice": b'{"sub":"alice","sub":"bob","exp":9999999999}',
    "NaN": b'{"sub":"alice","exp":NaN}',
    "Infinity": b'{"sub":"alice","exp":Infinity}',
    "byte order mark": b'\xef\xbb\xbf{"sub":"alice","exp":9999999999}',
    "UTF-16": '{"sub":"alice","exp":9999999999}'.encode("utf-16"),
    "UTF-32": '{"sub":"alice","exp":9999999999}'.encode("utf-32"),
    "not UTF-8": b'{"sub":"\xff","exp":9999999999}',
    "a list": b"[]",
    "null": b"null",
    "no JSON": b"alice",
    "nested deeply": b"[" * 5000,
    "a number of 5000 digits": b'{"sub":"alice","exp":' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("payload", AMBIGUOUS_JSON.values(), ids=AMBIGUOUS_JSON.keys())
def test_a_payload_of_ambiguous_json_is_malformed(payload: bytes) -> None:
    issuer = SecretIssuer(SECRET)
    token = forge(header={"alg": "HS256"}, payload=payload, key=SECRET.encode(), algorithm="HS256")
    assert refused(issuer.verifier(), token) is TokenMalformed


def test_a_header_with_a_repeated_name_is_malformed(issuer: Issuer) -> None:
    _, key = issuer.keys[issuer.kid]
    header = b'{"alg":"EdDSA","kid":"x","kid":"' + issuer.kid.encode() + b'"}'
    token = forge(header=header, payload={}, key=key, algorithm="EdDSA")
    assert refused(issuer.verifier(), token) is TokenMalformed


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": None}, TokenMalformed),
        ({"alg": 256}, TokenMalformed),
        ({"alg": "none"}, AlgorithmUnsupported),
        ({"alg": "None"}, AlgorithmUnsupported),
        ({"alg": ""}, AlgorithmUnsupported),
        ({"alg": "eddsa"}, AlgorithmUnsupported),
        ({"alg": "HS256"}, AlgorithmUnsupported),
        ({"alg": "HS512"}, AlgorithmUnsupported),
        ({"alg": "RS512"}, AlgorithmUnsupported),
        ({"alg": "ES256"}, AlgorithmUnsupported),
        ({"alg": "RS256"}, AlgorithmUnsupported),
        ({"kid": 1}, TokenMalformed),
        ({"kid": ["a"]}, TokenMalformed),
        ({"kid": {}}, TokenMalformed),
        ({"kid": ""}, KeyUnknown),
        ({"kid": "\ud800"}, KeyUnknown),
        ({"kid": "../../etc/passwd"}, KeyUnknown),
        ({"kid": "' OR 1=1"}, KeyUnknown),
        ({"crit": ["exp"]}, HeaderUnsupported),
        ({"crit": []}, HeaderUnsupported),
        ({"b64": True}, HeaderUnsupported),
        ({"b64": False, "crit": ["b64"]}, HeaderUnsupported),
        ({"typ": "better-auth.session-cache+jwt"}, TypeUnsupported),
        ({"typ": "logout+jwt"}, TypeUnsupported),
        ({"typ": "at+jwt"}, TypeUnsupported),
        ({"typ": "AT+JWT"}, TypeUnsupported),
        ({"typ": "application/at+jwt"}, TypeUnsupported),
        ({"typ": "application/jwt"}, TypeUnsupported),
        ({"typ": "dpop+jwt"}, TypeUnsupported),
        ({"typ": "JWT "}, TypeUnsupported),
        ({"typ": ""}, TypeUnsupported),
        ({"typ": 1}, TypeUnsupported),
        ({"typ": ["JWT"]}, TypeUnsupported),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_hostile_header_is_refused(
    issuer: Issuer, header: dict[str, Any], reason: type[TokenRejected]
) -> None:
    assert refused(issuer.verifier(), issuer.mint(header=header)) is reason
    if reason in (TokenMalformed, HeaderUnsupported, TypeUnsupported):
        assert issuer.fetches == 0, "a key was looked up for a header that no key can make valid"


@pytest.mark.parametrize("name", ["typ", "kid", "crit"])
def test_a_header_parameter_that_is_null_is_refused(issuer: Issuer, name: str) -> None:
    _, key = issuer.keys[issuer.kid]
    header = json.dumps({"alg": "EdDSA", "kid": issuer.kid, name: None}).encode()
    token = forge(header=header, payload={}, key=key, algorithm="EdDSA")
    assert issubclass(refused(issuer.verifier(), token), TokenRejected)


@pytest.mark.parametrize("typ", ["JWT", "jwt", "Jwt", None])
def test_typ_jwt_is_accepted_in_any_case_and_may_be_absent(issuer: Issuer, typ: str) -> None:
    assert issuer.verifier().verify(issuer.mint(header={"typ": typ}))


@pytest.mark.parametrize("parameter", ["jku", "x5u", "jwk", "x5c", "x5t"])
def test_a_key_inside_the_token_is_ignored(issuer: Issuer, parameter: str) -> None:
    impostor = Issuer()
    own_key = jwk(*impostor.keys[impostor.kid], kid="own")
    value: Any = own_key if parameter == "jwk" else "https://evil.example/jwks"
    header = {"kid": issuer.kid, parameter: value}
    assert refused(issuer.verifier(), impostor.mint(header=header)) is SignatureInvalid
    assert issuer.verifier().verify(issuer.mint(header={parameter: value}))


@pytest.mark.parametrize("algorithm", KEY_SET_ALGORITHMS)
def test_a_public_key_is_never_an_hmac_secret(algorithm: str) -> None:
    """Sign with HMAC and the published key as the secret (RFC 8725 section 2.1)."""
    issuer = Issuer(algorithm=algorithm)
    verifier = TokenVerifier([key_set_trust(issuer), secret_trust()])
    public = json.dumps(issuer.jwks()["keys"][0]).encode()
    token = forge(
        header={"alg": "HS256", "kid": issuer.kid},
        payload={"sub": "alice", "exp": 9_999_999_999},
        key=public,
        algorithm="HS256",
    )
    assert refused(verifier, token) is SignatureInvalid


def test_a_key_serves_its_own_algorithm_only() -> None:
    """An RSA key could verify RS256 and PS256, but it is published for one of them."""
    issuer = Issuer(algorithm="RS256")
    _, key = issuer.keys[issuer.kid]
    token = forge(
        header={"alg": "PS256", "kid": issuer.kid},
        payload={"sub": "alice", "exp": 9_999_999_999, "iss": issuer.url, "aud": issuer.url},
        key=key,
        algorithm="PS256",
    )
    assert refused(issuer.verifier(), token) is AlgorithmUnsupported


def test_an_algorithm_that_is_not_accepted_fetches_no_keys(issuer: Issuer) -> None:
    trust = Trust(algorithms=frozenset({"ES256"}), keys=KeySet(issuer.fetch), policy=ClaimPolicy())
    assert refused(TokenVerifier([trust]), issuer.mint()) is AlgorithmUnsupported
    assert issuer.fetches == 0


def test_a_header_may_use_the_whole_base64url_alphabet(issuer: Issuer) -> None:
    token = issuer.mint(header={"x": "~" * 9 + ">" * 9 + "?" * 9})
    assert {"-", "_"} <= set(token.partition(".")[0])
    assert issuer.verifier().verify(token)


def test_a_key_of_another_algorithm_verifies_nothing(issuer: Issuer) -> None:
    class Careless:
        def key_for(self, **header: Any) -> VerificationKey:
            return VerificationKey(SECRET.encode(), "HS256")

        def require_any(self) -> None:
            pass

        def age_seconds(self) -> None:
            pass

    trust = Trust(algorithms=frozenset({"EdDSA"}), keys=Careless(), policy=ClaimPolicy())
    assert refused(TokenVerifier([trust]), issuer.mint()) is AlgorithmUnsupported


def test_a_short_secret_verifies_nothing() -> None:
    issuer = SecretIssuer("short")
    assert refused(issuer.verifier(), issuer.mint()) is SignatureInvalid


def test_the_repr_of_claims_hides_the_payload(issuer: Issuer) -> None:
    assert "hidden" not in repr(issuer.verifier().verify(issuer.mint(x="hidden")))


@pytest.mark.parametrize("order", [1, -1])
def test_require_keys_needs_keys_of_every_source(issuer: Issuer, order: int) -> None:
    policy = ClaimPolicy(issuer=issuer.url, audiences=frozenset({issuer.url}))
    trusts = [key_set_trust(issuer, policy), secret_trust(policy)]
    issuer.broken = True
    with pytest.raises(KeysUnavailable):
        TokenVerifier(trusts[::order]).require_keys()


class TestPyJWT:
    """Behaviour of PyJWT that verification relies on."""

    def test_the_signature_is_checked_by_default(self) -> None:
        token = SecretIssuer(SECRET).mint()
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.PyJWS().decode_complete(token, b"x" * 32, algorithms=["HS256"])

    def test_the_algorithms_argument_is_binding(self, issuer: Issuer) -> None:
        key = issuer.keys[issuer.kid][1].public_key()
        with pytest.raises(jwt.InvalidAlgorithmError):
            jwt.PyJWS().decode_complete(issuer.mint(), key, algorithms=["ES256"])

    def test_every_refusal_is_a_pyjwt_error(self) -> None:
        assert issubclass(jwt.InvalidKeyError, jwt.PyJWTError)
        assert issubclass(jwt.InvalidTokenError, jwt.PyJWTError)
