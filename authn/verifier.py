"""The one place where a JWT is decoded."""

from __future__ import annotations

import re
import time
from binascii import a2b_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.algorithms import OKPAlgorithm

from authn.claims import ClaimPolicy, Claims
from authn.exceptions import (
    AlgorithmUnsupported,
    HeaderUnsupported,
    SignatureInvalid,
    TokenMalformed,
    TokenRejected,
    TypeUnsupported,
)
from authn.jwks import VerificationKey, canonical_algorithm
from authn.keys import KeySource
from authn.strict_json import parse_object

MAX_TOKEN_CHARACTERS = 8 * 1024
# RFC 7515 section 3.1: three segments of base64url without padding.
COMPACT_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
ACCEPTED_TYPES = ("JWT", "at+jwt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose tokens are believed: these algorithms, under these keys, with these claims."""

    algorithms: frozenset[str]
    keys: KeySource
    policy: ClaimPolicy


class TokenVerifier:
    """Token -> claims, or the reason why not. Knows neither requests nor settings.

    No two trusts may share an algorithm: the algorithm decides which keys are asked, which
    is what keeps a public key from being used as an HMAC secret (RFC 8725 section 2.1).
    ``clock`` is seconds since the epoch.
    """

    def __init__(
        self,
        trusts: Sequence[Trust],
        *,
        leeway_seconds: float = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._trusts = {name: trust for trust in trusts for name in trust.algorithms}
        self._leeway_seconds = leeway_seconds
        self._clock = clock
        self._jws = jwt.PyJWS(
            options={"verify_signature": True, "enforce_minimum_key_length": True}
        )
        # PyJWT does not know the algorithm's new name (RFC 9864 section 2.2).
        self._jws.register_algorithm("Ed25519", OKPAlgorithm())

    def verify(self, token: str) -> Claims:
        """The claims of ``token``.

        Raises a ``TokenRejected`` for anything wrong with the token, ``KeysUnavailable``
        where that cannot be told for want of keys. Cheap checks come first: no key is
        looked up for a token that no key could save.
        """
        header = _parse_header(token)
        algorithm = canonical_algorithm(header["alg"])
        trust = self._trusts.get(algorithm)
        if trust is None:
            raise AlgorithmUnsupported
        key = trust.keys.key_for(kid=header.get("kid"), algorithm=algorithm)
        payload = self._verified_payload(token, header["alg"], key)
        now = self._clock()
        try:
            return trust.policy.check(payload, now=now, leeway_seconds=self._leeway_seconds)
        except TokenRejected as reason:
            reason.payload, reason.refused_at = payload, now
            raise

    def require_keys(self) -> None:
        """Raise ``KeysUnavailable`` where tokens of some trust could not be verified now."""
        for trust in self._trusts.values():
            trust.keys.require_any()

    def key_set_age_seconds(self) -> float | None:
        """That of the oldest keys; ``None`` where there are none that were fetched."""
        ages = (trust.keys.age_seconds() for trust in self._trusts.values())
        return max((age for age in ages if age is not None), default=None)

    def _verified_payload(self, token: str, algorithm: str, key: VerificationKey) -> dict[str, Any]:
        """The payload, once the signature is valid under ``key`` and the key's own algorithm.

        PyJWT's signature layer does the cryptography. Its claims layer is not used: it takes
        booleans and numeric strings for times, and has no clock to set.
        """
        if canonical_algorithm(algorithm) != key.algorithm:
            raise AlgorithmUnsupported
        try:
            decoded = self._jws.decode_complete(token, key.value, algorithms=[algorithm])
        except jwt.PyJWTError:
            raise SignatureInvalid from None
        try:
            return parse_object(decoded["payload"])
        except ValueError:
            raise TokenMalformed from None


def _parse_header(token: str) -> dict[str, Any]:
    """The JOSE header, with every parameter that matters checked for type and value.

    ``jku``, ``x5u``, ``x5c`` and ``jwk`` are never read: a token does not bring its own key
    (RFC 8725 section 3.5).
    """
    if len(token) > MAX_TOKEN_CHARACTERS or not (match := COMPACT_TOKEN.fullmatch(token)):
        raise TokenMalformed
    try:
        header = parse_object(_decode_segment(match[1]))
    except ValueError:
        raise TokenMalformed from None
    if not isinstance(header.get("alg"), str) or not isinstance(header.get("kid", ""), str):
        raise TokenMalformed
    if "crit" in header or "b64" in header:
        raise HeaderUnsupported
    if "typ" in header and header["typ"] not in ACCEPTED_TYPES:
        raise TypeUnsupported
    return header


def _decode_segment(segment: str) -> bytes:
    return a2b_base64(segment.replace("-", "+").replace("_", "/") + "=" * (-len(segment) % 4))
