"""Parse a JSON Web Key Set (RFC 7517) into the keys that may verify a token."""

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

MAX_LOGGED = 10  # skipped keys of a key set
# Below 2048 bits RSA is not secure (RFC 7518 section 3.3); above 16384 OpenSSL does not verify.
RSA_BITS = range(2048, 16384 + 1)
SMALL_PRIMES = math.factorial(1000)  # a multiple of each prime under 1000

# The prime of Ed25519's field, and y of its eight points of small order (RFC 8032 section 5.1).
# Anyone can sign for such a key: with S = 0, one R of eight fits any message.
ED25519_PRIME = 2**255 - 19
Y_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER_Y = (0, 1, ED25519_PRIME - 1, Y_OF_ORDER_8, ED25519_PRIME - Y_OF_ORDER_8)

# The algorithms of each kind of key. A key without `alg` gets the first one: Better Auth always
# writes `alg`, and issuers that leave it out mean RS256.
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
    """Map ``Ed25519`` (RFC 9864) to ``EdDSA``: Ed25519 is the only curve accepted here."""
    return "EdDSA" if name == "Ed25519" else name


KEY_SET_ALGORITHMS = frozenset(
    canonical_algorithm(name) for names in ALGORITHMS_OF_KIND.values() for name in names
)


def parse_key_set(body: bytes) -> tuple[VerificationKey, ...]:
    """Return the usable keys of a JWKS document, in its order.

    Unusable keys are skipped and logged. The work grows with the size of the document. Raises
    ``KeySetInvalid`` if the document is not a key set, or has no usable key.
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
    """Return the ``kid``, or a hashable form of a key without one."""
    if key.kid is not None:
        return key.kid
    value: Any = key.value
    der = value.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.algorithm, der


def _parse_key(entry: Any) -> VerificationKey:
    if not isinstance(entry, dict):
        raise KeySetInvalid("not an object")
    kid = entry.get("kid")
    if not isinstance(kid, str | None):
        raise KeySetInvalid("its kid is not a string")
    operations = entry.get("key_ops", ["verify"])
    can_verify = isinstance(operations, list) and "verify" in operations
    if entry.get("use", "sig") != "sig" or not can_verify:
        raise KeySetInvalid("not for signatures")
    if "d" in entry:
        raise KeySetInvalid("a published private key")
    algorithm = _algorithm_of(entry)
    try:
        value: Any = jwt.PyJWK(entry, algorithm).key
    # PyJWT and cryptography raise these for members that are missing, of a wrong type, not
    # base64, or not a point of the curve.
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        raise KeySetInvalid("its parameters do not make a key") from None
    match value:
        case RSAPublicKey():
            _require_sound_rsa(value)
        case Ed25519PublicKey():
            _require_sound_ed25519(value)
    return VerificationKey(value, algorithm, kid)


def _require_sound_rsa(key: RSAPublicKey) -> None:
    """Refuse a modulus that is easy to factor. OpenSSL refuses even exponents and those under 3."""
    if key.key_size not in RSA_BITS:
        raise KeySetInvalid(f"RSA of {key.key_size} bits")
    if math.gcd(key.public_numbers().n, SMALL_PRIMES) != 1:
        raise KeySetInvalid("RSA with a modulus that a small number divides")


def _require_sound_ed25519(key: Ed25519PublicKey) -> None:
    """Refuse points of small order, and encodings outside the field (RFC 8032 section 5.1.3)."""
    encoded = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    y = int.from_bytes(encoded, "little") % 2**255  # the last bit is the sign of x
    if y >= ED25519_PRIME or y in SMALL_ORDER_Y:
        raise KeySetInvalid("an Ed25519 point that anyone can sign for")


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
