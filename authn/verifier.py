"""The one place where a JWT is decoded, and where it is remembered that it was."""

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
    KeysUnavailable,
    SignatureInvalid,
    TokenMalformed,
    TokenRejected,
)
from authn.jose_header import parse_header
from authn.jwks import VerificationKey, canonical_algorithm
from authn.keys import KeySource
from authn.strict_json import parse_object

# Some 2 KiB of memory each with the claims of Better Auth. A longer token is verified every time.
MAX_REMEMBERED_TOKENS = 4096
MAX_REMEMBERED_CHARACTERS = 2 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose tokens are believed: these algorithms, under these keys, with these claims."""

    algorithms: frozenset[str]
    keys: KeySource
    policy: ClaimPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """What is remembered of a token that passed: what it says, and by whose key."""

    keys: KeySource
    kid: str | None
    key: VerificationKey
    claims: Claims


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
        # By a digest of the token, which itself is not kept; the oldest first.
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()
        self._remembering = Lock()  # guards its writing; readers need none
        self._jws = jwt.PyJWS(
            options={"verify_signature": True, "enforce_minimum_key_length": True}
        )
        # PyJWT does not know the algorithm's new name (RFC 9864 section 2.2).
        self._jws.register_algorithm("Ed25519", OKPAlgorithm())

    def verify(self, token: str) -> Claims:
        """The claims of ``token``.

        Raises a ``TokenRejected`` for anything wrong with the token, ``KeysUnavailable``
        where that cannot be told for want of keys. Cheap checks come first: no key is
        looked up for a token that no key could save. A token that passed is remembered, and
        its signature not verified again while its key is the same.
        """
        if len(token) > MAX_REMEMBERED_CHARACTERS:
            return self._verify_anew(token).claims
        digest = _digest(token)
        known = self._recall(digest)
        if known is not None:
            return known.claims
        verified = self._verify_anew(token)
        with self._remembering:
            self._remembered[digest] = verified
            if len(self._remembered) > MAX_REMEMBERED_TOKENS:
                self._remembered.popitem(last=False)
        return verified.claims

    def remembers(self, token: str) -> bool:
        """Tell whether ``verify`` would accept ``token`` now without any signature work."""
        try:
            return self._recall(_digest(token)) is not None
        except KeysUnavailable:
            return False

    def require_keys(self) -> None:
        """Raise ``KeysUnavailable`` where tokens of some trust could not be verified now."""
        for trust in self._trusts.values():
            trust.keys.require_any()

    def key_set_age_seconds(self) -> float | None:
        """That of the oldest keys; ``None`` where there are none that were fetched."""
        ages = (trust.keys.age_seconds() for trust in self._trusts.values())
        return max((age for age in ages if age is not None), default=None)

    def _recall(self, digest: bytes) -> _Verified | None:
        """Return what is remembered, while it still passes. Raises ``KeysUnavailable``."""
        known = self._remembered.get(digest)
        if known is None or self._passes_again(known):
            return known
        with self._remembering:
            self._remembered.pop(digest, None)
        return None

    def _passes_again(self, known: _Verified) -> bool:
        """Whether it still passes, for all that may have changed: its key, and the time.

        Raises ``KeysUnavailable``. Why it does not is for ``_verify_anew`` to say.
        """
        try:
            key = known.keys.key_for(kid=known.kid, algorithm=known.key.algorithm)
            now = self._clock()
            check_times(known.claims.payload, now=now, leeway_seconds=self._leeway_seconds)
        except TokenRejected:
            return False
        return key == known.key

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


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="surrogatepass")).digest()
