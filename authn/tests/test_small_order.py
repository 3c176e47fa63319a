"""Ed25519 points of small order, for which anyone can sign. RFC 8032 defines the curve."""

from __future__ import annotations

import json
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.utils import base64url_encode

from authn.exceptions import KeySetInvalid, KeyUnknown
from authn.jwks import parse_key_set
from authn.testing import Issuer, jwk, new_private_key

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
SUBGROUP_ORDER = 2**252 + 27742317777372353535851937790883648493

Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    """Add two points of -x**2 + y**2 = 1 + d x**2 y**2 (RFC 8032 section 5.1)."""
    product = D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, P)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P)
    return x % P, y % P


def times(factor: int, point: Point) -> Point:
    result = IDENTITY
    for bit in f"{factor:b}":
        result = add(result, result)
        result = add(result, point) if bit == "1" else result
    return result


def point_at(y: int) -> Point | None:
    """Return a point with this ``y``, if there is one (RFC 8032 section 5.1.3)."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    for root in (x, x * pow(2, (P - 1) // 4, P) % P):
        if root * root % P == square:
            return root, y
    return None


def points_of_small_order() -> list[Point]:
    for y in count(2):
        point = point_at(y)
        generator = times(SUBGROUP_ORDER, point) if point else IDENTITY
        if times(4, generator) != IDENTITY:
            return [times(factor, generator) for factor in range(8)]
    raise AssertionError


def encodings() -> list[bytes]:
    """Return all encodings of the points, also those that RFC 8032 forbids."""
    spellings = [y + extra for _, y in points_of_small_order() for extra in (0, P)]
    numbers = [y | sign << 255 for y in spellings if y < 2**255 for sign in (0, 1)]
    return [number.to_bytes(32, "little") for number in sorted(dict.fromkeys(numbers))]


def key_set(encoded: bytes) -> bytes:
    x = base64url_encode(encoded).decode()
    return json.dumps(
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "a", "x": x}]}
    ).encode()


def test_every_encoding_of_a_point_of_small_order_is_skipped() -> None:
    assert len(dict.fromkeys(points_of_small_order())) == 8
    assert len(encodings()) == 14
    for encoded in encodings():
        with pytest.raises(KeySetInvalid):
            parse_key_set(key_set(encoded))


def test_every_encoding_outside_the_field_is_skipped() -> None:
    for number in range(P, 2**255):
        with pytest.raises(KeySetInvalid):
            parse_key_set(key_set(number.to_bytes(32, "little")))


def test_an_ordinary_ed25519_key_is_accepted() -> None:
    for number in range(20):
        entry = jwk("EdDSA", new_private_key("EdDSA"), kid=str(number))
        assert parse_key_set(json.dumps({"keys": [entry]}).encode())


def test_a_token_forged_for_a_point_of_small_order_is_refused(issuer: Issuer) -> None:
    identity = (1).to_bytes(32, "little")
    signature = identity + bytes(32)
    # cryptography finds the signature valid for any message.
    Ed25519PublicKey.from_public_bytes(identity).verify(signature, b"whatever")
    weak = json.loads(key_set(identity))["keys"]
    good = issuer.jwks()["keys"]
    body = json.dumps({"keys": [*weak, *good]}).encode()
    issuer.fetch = lambda: body  # type: ignore[method-assign]
    token = issuer.mint(header={"kid": "a"})
    forged = f"{token.rpartition('.')[0]}.{base64url_encode(signature).decode()}"
    with pytest.raises(KeyUnknown):
        issuer.verifier().verify(forged)
