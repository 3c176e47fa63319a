"""Ed25519 points of small order, for which anyone can sign. RFC 8032 defines the curve."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.utils import base64url_encode

from authn.exceptions import KeySetInvalid, KeyUnknown
from authn.jwks import parse_key_set
from authn.testing import Issuer, jwk, new_private_key

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
# Doubling a point of order 8 gives y = 0, so y**2 = -x**2 on -x**2 + y**2 = 1 + D x**2 y**2.
Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# Orders 1, 2, 4 and 8; P and P + 1 spell 0 and 1 in a way that RFC 8032 forbids.
SMALL_ORDER_Y = (1, P - 1, 0, Y_OF_ORDER_8, P - Y_OF_ORDER_8, P, P + 1)


def key_set(encoded: bytes) -> bytes:
    x = base64url_encode(encoded).decode()
    return json.dumps(
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "a", "x": x}]}
    ).encode()


def test_every_encoding_of_a_point_of_small_order_is_skipped() -> None:
    assert (D * Y_OF_ORDER_8**4 + 2 * Y_OF_ORDER_8**2 - 1) % P == 0
    for number in [y | sign << 255 for y in SMALL_ORDER_Y for sign in (0, 1)]:
        with pytest.raises(KeySetInvalid):
            parse_key_set(key_set(number.to_bytes(32, "little")))


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
