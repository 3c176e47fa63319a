"""A JSON Web Key Set (RFC 7517) -> the keys in it that may verify a token."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authn.exceptions import KeySetInvalid
from authn.strict_json import parse_object

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

logger = logging.getLogger(__name__)

MAX_LOGGED = 10  # skipped keys of one set
# Below 2048 bits RSA is not secure (RFC 7518 section 3.3); above 16384 OpenSSL does not verify.
RSA_BITS = range(2048, 16384 + 1)
EVERY_SMALL_PRIME = math.factorial(1000)  # divides it

# RFC 8032 section 5.1: the prime of Ed25519's field, and y of its eight points of small order.
# Under such a key anybody can sign: with S = 0, one R of eight fits any message.
ED25519_PRIME = 2**255 - 19
Y_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER_Y = (0, 1, ED25519_PRIME - 1, Y_OF_ORDER_8, ED25519_PRIME - Y_OF_ORDER_8)

# What each kind of key may sign with. A key without `alg` gets the first name: Better Auth
# always writes `alg`, other issuers leave it out, and RS256 is what they then mean.
ALGORITHMS_OF_KIND: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-521"): ("ES512",),
    ("RSA", None): ("RS256", "PS256"),
}


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key and the one algorithm it may be used with (RFC 8725 section 3.1)."""

    value: AllowedPublicKeys | bytes
    algorithm: str
    kid: str | None = None


def canonical_algorithm(name: str) -> str:
    """``Ed25519`` (RFC 9864) and ``EdDSA`` are the same thing for the one curve accepted here."""
    return "EdDSA" if name == "Ed25519" else name


KEY_SET_ALGORITHMS = frozenset(
    canonical_algorithm(name) for names in ALGORITHMS_OF_KIND.values() for name in names
)


def parse_key_set(body: bytes) -> tuple[VerificationKey, ...]:
    """The usable keys of a JWKS document, in its order, at least one.

    A key that cannot be used is skipped and logged: it must not take its neighbours down. Only
    the size of the document bounds how many keys it has, and the work grows no faster.
    Raises ``KeySetInvalid`` where the document is no key set, or no key in it is usable.
    """
    try:
        entries = parse_object(body).get("keys")
    except ValueError:
        raise KeySetInvalid("the answer is not a JSON object") from None
    if not isinstance(entries, list):
        raise KeySetInvalid("the answer has no list of keys")

    keys: dict[object, VerificationKey] = {}
    skipped: list[str] = []
    for position, entry in enumerate(entries):
        try:
            key = _parse_key(entry)
            if keys.setdefault(_identity(key), key) is not key:
                raise KeySetInvalid("a duplicate")
        except KeySetInvalid as reason:
            skipped.append(f"Key {position} of the key set is skipped: {reason}")
    for message in skipped[:MAX_LOGGED]:
        logger.warning("%s", message)
    if len(skipped) > MAX_LOGGED:
        logger.warning("%d more keys of the key set are skipped", len(skipped) - MAX_LOGGED)
    if not keys:
        raise KeySetInvalid("no usable key in the key set")
    return tuple(keys.values())


def _identity(key: VerificationKey) -> object:
    """The key's ``kid``; without one, the key itself, in a form that can be hashed."""
    if key.kid:
        return key.kid
    value: Any = key.value
    der = value.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.kid, key.algorithm, der


def _parse_key(entry: Any) -> VerificationKey:
    if not isinstance(entry, dict):
        raise KeySetInvalid("not an object")
    kid = entry.get("kid")
    if not isinstance(kid, str | None):
        raise KeySetInvalid("its kid is not a string")
    if entry.get("use", "sig") != "sig" or "verify" not in _operations(entry):
        raise KeySetInvalid("not for signatures")
    if "d" in entry:
        raise KeySetInvalid("a private key, which whoever can read it could sign with")
    algorithm = _algorithm_of(entry)
    try:
        value: Any = jwt.PyJWK(entry, algorithm).key
    # What PyJWT and cryptography raise for members that are missing, of another type, no
    # base64, or no point of the curve.
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        raise KeySetInvalid("its parameters do not make a key") from None
    match value:
        case RSAPublicKey():
            _require_sound_rsa(value)
        case Ed25519PublicKey():
            _require_sound_ed25519(value)
    return VerificationKey(value, algorithm, kid)


def _require_sound_rsa(key: RSAPublicKey) -> None:
    """Refuse what anybody can factor. An exponent that is even or under 3 is no key to OpenSSL."""
    if key.key_size not in RSA_BITS:
        raise KeySetInvalid(f"RSA of {key.key_size} bits")
    if math.gcd(key.public_numbers().n, EVERY_SMALL_PRIME) != 1:
        raise KeySetInvalid("RSA with a modulus that a small number divides")


def _require_sound_ed25519(key: Ed25519PublicKey) -> None:
    """Refuse a point of small order, and one that is not spelled as RFC 8032 section 5.1.3 says."""
    encoded = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    y = int.from_bytes(encoded, "little") % 2**255  # the last bit is the sign of x
    if y >= ED25519_PRIME or y in SMALL_ORDER_Y:
        raise KeySetInvalid("an Ed25519 point that anybody can sign for")


def _operations(entry: Mapping[str, Any]) -> list[Any]:
    operations = entry.get("key_ops", ["verify"])
    return operations if isinstance(operations, list) else []


def _algorithm_of(entry: Mapping[str, Any]) -> str:
    kty, crv, alg = entry.get("kty"), entry.get("crv"), entry.get("alg")
    if not isinstance(kty, str) or not isinstance(crv, str | None):
        raise KeySetInvalid("of an unknown type")
    names = ALGORITHMS_OF_KIND.get((kty, None if kty == "RSA" else crv))
    if names is None:
        raise KeySetInvalid("of a type that is not supported")
    if "alg" in entry and alg not in names:
        raise KeySetInvalid("its algorithm does not fit its type")
    return canonical_algorithm(alg or names[0])
