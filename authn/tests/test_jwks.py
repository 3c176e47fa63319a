from __future__ import annotations

import contextlib
import json
import logging
import math
from contextlib import nullcontext
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from authn.exceptions import KeySetInvalid
from authn.fetching import MAX_BYTES
from authn.jwks import MAX_LOGGED, VerificationKey, parse_key_set
from authn.testing import KEY_SET_ALGORITHMS, jwk, new_private_key

GOOD = jwk("EdDSA", new_private_key("EdDSA"), kid="good")


def parse(*keys: Any) -> list[VerificationKey]:
    return list(parse_key_set(json.dumps({"keys": keys}).encode()))


def kids(*keys: Any) -> list[str | None]:
    return [key.kid for key in parse(*keys)]


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES512", "RS256"])
def test_a_key_without_alg_gets_the_algorithm_of_its_type(algorithm: str) -> None:
    entry = jwk(algorithm, new_private_key(algorithm), kid="a")
    del entry["alg"]
    assert parse(entry)[0].algorithm == algorithm


def test_each_key_of_a_mixed_set_is_bound_to_its_algorithm() -> None:
    keys = parse(*(jwk(name, new_private_key(name), kid=name) for name in KEY_SET_ALGORITHMS))
    assert [(key.kid, key.algorithm) for key in keys] == [(a, a) for a in KEY_SET_ALGORITHMS]


def _rsa(bits: int) -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return {**RSAAlgorithm.to_jwk(key, as_dict=True), "alg": "RS256", "key_ops": ["verify"]}


def _ec(curve: ec.EllipticCurve) -> dict[str, Any]:
    return ECAlgorithm.to_jwk(ec.generate_private_key(curve).public_key(), as_dict=True)


def _x25519() -> dict[str, Any]:
    raw = (
        x25519.X25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    )
    return {"kty": "OKP", "crv": "X25519", "x": base64url_encode(raw).decode()}


def _rsa_of(modulus: int, exponent: int) -> dict[str, Any]:
    n, e = (
        base64url_encode(number.to_bytes(-(-number.bit_length() // 8) or 1, "big")).decode()
        for number in (modulus, exponent)
    )
    return {"kty": "RSA", "alg": "RS256", "n": n, "e": e}


def _modulus(bits: int = 2048) -> int:
    """Return a number of ``bits`` bits without a small factor. It has no private key."""
    return next(
        number
        for number in range((1 << (bits - 1)) + 1, 1 << bits, 2)
        if math.gcd(number, math.factorial(1000)) == 1
    )


def _private() -> dict[str, Any]:
    key = ed25519.Ed25519PrivateKey.generate()
    return {**OKPAlgorithm.to_jwk(key, as_dict=True), "alg": "EdDSA"}


UNUSABLE: dict[str, Any] = {
    "a secret": {"kty": "oct", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0", "alg": "HS256"},
    "for encryption": {**GOOD, "use": "enc"},
    "use of another type": {**GOOD, "use": ["sig"]},
    "not for verifying": {**GOOD, "key_ops": ["encrypt"]},
    "key_ops of another type": {**GOOD, "key_ops": "verify"},
    "RSA of 1024 bits": _rsa(1024),
    "a private key": _private(),
    "an unknown type": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
    "a type that is no text": {**GOOD, "kty": ["OKP"]},
    "no type": {"alg": "EdDSA", "x": GOOD["x"]},
    "another curve": _ec(ec.SECP256K1()),
    "P-384": _ec(ec.SECP384R1()),
    "X25519": _x25519(),
    "Ed448": OKPAlgorithm.to_jwk(ed448.Ed448PrivateKey.generate().public_key(), as_dict=True),
    "a curve that is no text": {**GOOD, "crv": 1},
    "an algorithm of another type of key": {**GOOD, "alg": "RS256"},
    "an empty algorithm": {**GOOD, "alg": ""},
    "an algorithm that is no text": {**GOOD, "alg": ["EdDSA"]},
    "RS512": {**_rsa(2048), "alg": "RS512"},
    "half a point": {**_ec(ec.SECP256R1()), "y": None},
    "a point off the curve": {**_ec(ec.SECP256R1()), "x": "A" * 43},
    "the point at infinity": {**_ec(ec.SECP256R1()), "x": "A" * 43, "y": "A" * 43},
    "the point at infinity of P-521": {**_ec(ec.SECP521R1()), "x": "A" * 88, "y": "A" * 88},
    "a point of another curve": {**_ec(ec.SECP256K1()), "crv": "P-256", "alg": "ES256"},
    "a short key": {**GOOD, "x": "AAAA"},
    "no base64": {**GOOD, "x": "!!!!"},
    "a key that is no text": {**GOOD, "x": 1},
    "an even exponent": _rsa_of(_modulus(), 65536),
    "an exponent of 2": _rsa_of(_modulus(), 2),
    "an exponent of 1": _rsa_of(_modulus(), 1),
    "an exponent of 0": _rsa_of(_modulus(), 0),
    "an even modulus": _rsa_of(_modulus() + 1, 65537),
    "a modulus that 3 divides": _rsa_of(3 * _modulus(2047), 65537),
    "a modulus that 997 divides": _rsa_of(997 * _modulus(2039), 65537),
    "an empty modulus": {**_rsa(2048), "n": ""},
    "an enormous modulus": {**_rsa(2048), "n": "_" * 30_000},
    "a kid that is no text": {**GOOD, "kid": 7},
    "no object": "key",
    "null": None,
}


@pytest.mark.parametrize("neighbour", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_key_is_skipped_and_logged(
    neighbour: Any, caplog: pytest.LogCaptureFixture
) -> None:
    if isinstance(neighbour, dict) and neighbour.get("kid") == "good":
        neighbour = {**neighbour, "kid": "bad"}
    with caplog.at_level(logging.WARNING):
        assert kids(neighbour, GOOD) == ["good"]
    assert "Key 0 of the key set is skipped" in caplog.text
    with pytest.raises(KeySetInvalid):
        parse(neighbour)


@pytest.mark.parametrize(
    ("bits", "usable"), [(2047, False), (2048, True), (16384, True), (16385, False)]
)
def test_rsa_keys_have_2048_to_16384_bits(bits: int, usable: bool) -> None:
    with nullcontext() if usable else pytest.raises(KeySetInvalid):
        parse(_rsa_of(_modulus(bits), 65537))


@pytest.mark.parametrize("exponent", [3, 17, 65537])
def test_a_usual_rsa_exponent_is_accepted(exponent: int) -> None:
    assert parse(_rsa_of(_modulus(), exponent))


def test_a_member_foreign_to_the_key_type_is_ignored() -> None:
    assert parse({**_rsa(2048), "crv": "P-256"})[0].algorithm == "RS256"


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, UnsupportedAlgorithm])
def test_a_key_that_makes_pyjwt_raise_is_skipped(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise error("x")

    monkeypatch.setattr("authn.jwks.jwt.PyJWK", fail)
    with pytest.raises(KeySetInvalid):
        parse(GOOD)


@pytest.mark.parametrize("kid", ["a", ""])
def test_the_first_of_two_keys_with_one_kid_is_used(kid: str) -> None:
    entries = [{**jwk("EdDSA", new_private_key("EdDSA")), "kid": kid} for _ in range(2)]
    assert parse(*entries) == parse(entries[0])


def test_a_repeated_key_without_kid_counts_once() -> None:
    entry = jwk("EdDSA", new_private_key("EdDSA"))
    assert len(parse(entry, entry)) == 1
    assert len(parse(entry, jwk("EdDSA", new_private_key("EdDSA")))) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":null}',
        b'{"keys":7}',
        b'{"keys":"a"}',
        b'{"keys":[],"keys":[]}',
        b"[" * 60_000,
        b'{"keys":' + b"[" * 60_000,
        json.dumps({"keys": [GOOD]}).encode("utf-16"),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_document_that_is_not_a_key_set_is_invalid(body: bytes) -> None:
    with pytest.raises(KeySetInvalid):
        parse_key_set(body)


def test_a_key_set_of_256_kib_may_have_1800_keys() -> None:
    """Issuers publish a rotated key for 30 days more, which is 33 keys at one every 22 hours."""
    key = new_private_key("EdDSA")
    entries = [jwk("EdDSA", key, kid=f"{number:032}") for number in range(1800)]
    body = json.dumps({"keys": entries}).encode()
    assert MAX_BYTES * 0.9 < len(body) <= MAX_BYTES
    assert [found.kid for found in parse_key_set(body)] == [entry["kid"] for entry in entries]


@pytest.mark.parametrize("with_kid", [True, False], ids=["kids", "no kids"])
def test_parsing_compares_no_key_with_another(
    monkeypatch: pytest.MonkeyPatch, with_kid: bool
) -> None:
    def compare(key: VerificationKey, other: object) -> bool:
        raise AssertionError("comparing each key with each other takes quadratic time")

    monkeypatch.setattr(VerificationKey, "__eq__", compare)
    entries = [
        jwk("EdDSA", new_private_key("EdDSA"), kid=f"key-{number}" if with_kid else None)
        for number in range(20)
    ]
    assert len(parse(*entries, *entries)) == 20


def test_unusable_keys_do_not_flood_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert kids(*[UNUSABLE["a secret"]] * 2000, GOOD) == ["good"]
    assert len(caplog.records) == MAX_LOGGED + 1
    assert "1990 more keys of the key set are skipped" in caplog.text


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["OKP", "EC", "RSA"]),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children)
    ),
    max_leaves=5,
)
members = st.sampled_from(["kty", "crv", "alg", "use", "key_ops", "x", "y", "n", "e", "d", "kid"])
entries: st.SearchStrategy[dict[str, Any]] = st.dictionaries(members, json_values).flatmap(
    lambda changes: st.sampled_from(
        [
            {**GOOD, **changes},
            {**UNUSABLE["P-384"], **changes},
            {**UNUSABLE["RS512"], **changes},
            changes,
        ]
    )
)


@given(entries)
def test_any_key_parses_or_raises_key_set_invalid(entry: dict[str, Any]) -> None:
    with contextlib.suppress(KeySetInvalid):
        parse(entry)
