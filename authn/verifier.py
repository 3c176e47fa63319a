"""Verify tokens. No other module decodes a JWT."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any

import jwt
from jwt.algorithms import OKPAlgorithm

from authn.claims import ClaimPolicy, Claims, check_times
from authn.exceptions import (
    AlgorithmUnsupported,
    SignatureInvalid,
    TokenMalformed,
    TokenRejected,
)
from authn.jose_header import parse_header
from authn.jwks import VerificationKey, canonical_algorithm
from authn.keys import KeySource
from authn.strict_json import parse_object

# With the claims of Better Auth, a token takes about 2 KiB. Longer ones are verified every time.
MAX_REMEMBERED_TOKENS = 4096
MAX_REMEMBERED_CHARACTERS = 2 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """An accepted source of tokens: its algorithms, its keys, and the claims to require."""

    algorithms: frozenset[str]
    keys: KeySource
    policy: ClaimPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """A remembered token: its claims, and the key that verified it."""

    keys: KeySource
    kid: str | None
    key: VerificationKey
    claims: Claims


class TokenVerifier:
    """Verify tokens from any number of sources. ``clock`` is seconds since the epoch.

    Two trusts must not share an algorithm. The algorithm selects the source of keys, which keeps
    a public key from serving as an HMAC secret (RFC 8725 section 2.1).
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
        # Keyed by a digest, so that no token is kept; the oldest first.
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()
        self._remembering = Lock()  # guards writes to _remembered
        self._jws = jwt.PyJWS(
            options={"verify_signature": True, "enforce_minimum_key_length": True}
        )
        # PyJWT does not register EdDSA's new name (RFC 9864 section 2.2).
        self._jws.register_algorithm("Ed25519", OKPAlgorithm())

    def verify(self, token: str, *, before_work: Callable[[], None] = lambda: None) -> Claims:
        """Return the claims of ``token``. Raises ``TokenRejected`` or ``KeysUnavailable``.

        The header is checked before a key is looked up. An accepted token is remembered: its
        signature is not verified again while its key stays the same. ``before_work`` is called
        before any other token is looked at, and may raise to refuse the work.
        """
        digest = _digest(token)
        known = self._recall(digest)
        if known is not None:
            return known.claims
        before_work()
        verified = self._verify_anew(token)
        if len(token) <= MAX_REMEMBERED_CHARACTERS:
            with self._remembering:
                self._remembered[digest] = verified
                if len(self._remembered) > MAX_REMEMBERED_TOKENS:
                    self._remembered.popitem(last=False)
        return verified.claims

    def require_keys(self) -> None:
        """Raise ``KeysUnavailable`` if a source has no keys now."""
        for trust in self._trusts.values():
            trust.keys.require_any()

    def key_set_age_seconds(self) -> float | None:
        """Return the age of the oldest key set; ``None`` without one."""
        ages = (trust.keys.age_seconds() for trust in self._trusts.values())
        return max((age for age in ages if age is not None), default=None)

    def _recall(self, digest: bytes) -> _Verified | None:
        """Return the remembered token if its key and the time still allow it, or forget it.

        Raises ``KeysUnavailable``.
        """
        known = self._remembered.get(digest)
        if known is None:
            return None
        try:
            key = known.keys.key_for(kid=known.kid, algorithm=known.key.algorithm)
            now = self._clock()
            check_times(known.claims.payload, now=now, leeway_seconds=self._leeway_seconds)
            if key == known.key:
                return known
        except TokenRejected:  # for a reason that _verify_anew() finds again
            pass
        with self._remembering:
            self._remembered.pop(digest, None)
        return None

    def _verify_anew(self, token: str) -> _Verified:
        header = parse_header(token)
        algorithm = canonical_algorithm(header["alg"])
        trust = self._trusts.get(algorithm)
        if trust is None:
            raise AlgorithmUnsupported
        kid = header.get("kid")
        key = trust.keys.key_for(kid=kid, algorithm=algorithm)
        payload = self._verified_payload(token, header["alg"], key)
        now = self._clock()
        try:
            claims = trust.policy.check(payload, now=now, leeway_seconds=self._leeway_seconds)
        except TokenRejected as reason:
            reason.payload, reason.refused_at = payload, now
            raise
        return _Verified(keys=trust.keys, kid=kid, key=key, claims=claims)

    def _verified_payload(self, token: str, algorithm: str, key: VerificationKey) -> dict[str, Any]:
        """Return the payload if the signature is valid under ``key`` and the key's algorithm.

        PyJWT verifies the signature. Its claims layer is not used, because it accepts booleans
        and numeric strings as times, and has no clock to set.
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


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="surrogatepass")).digest()
