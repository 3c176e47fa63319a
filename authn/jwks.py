"""A JSON Web Key Set (RFC 7517) -> the keys in it that may verify a token."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from authn.exceptions import KeySetInvalid
from authn.strict_json import parse_object

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

logger = logging.getLogger(__name__)

MAX_KEYS = 32
# Below 2048 bits RSA is not secure (RFC 7518 section 3.3); above 16384 OpenSSL does not verify.
RSA_BITS = range(2048, 16384 + 1)

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

    A key that cannot be used is skipped and logged: it must not take its neighbours down.
    Raises ``KeySetInvalid`` where the document is no key set, or no key in it is usable.
    """
    try:
        entries = parse_object(body).get("keys")
    except ValueError:
        raise KeySetInvalid("the answer is not a JSON object") from None
    if not isinstance(entries, list):
        raise KeySetInvalid("the answer has no list of keys")
    if len(entries) > MAX_KEYS:
        raise KeySetInvalid(f"{len(entries)} keys; at most {MAX_KEYS} are accepted")

    keys: list[VerificationKey] = []
    for position, entry in enumerate(entries):
        try:
            key = _parse_key(entry)
            if any(key.kid == other.kid and (key.kid or key == other) for other in keys):
                raise KeySetInvalid("a duplicate")
        except KeySetInvalid as reason:
            logger.warning("Key %d of the key set is skipped: %s", position, reason)
        else:
            keys.append(key)
    if not keys:
        raise KeySetInvalid("no usable key in the key set")
    return tuple(keys)


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
    if isinstance(value, RSAPublicKey) and value.key_size not in RSA_BITS:
        raise KeySetInvalid(f"RSA of {value.key_size} bits")
    return VerificationKey(value, algorithm, kid)


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
