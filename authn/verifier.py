"""Verify tokens. No other module decodes a JWT."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any

import jwt
from jwt.algorithms import OKPAlgorithm

from authn.claims import ClaimPolicy, Claims, check_times
from authn.exceptions import (
    AlgorithmUnsupported,
    KeysPending,
    SignatureInvalid,
    TokenMalformed,
    TokenRejected,
    TypeUnsupported,
)
from authn.fetching import TIMEOUT_SECONDS
from authn.jose_header import AT_JWT_TYPE, JWT_TYPE, parse_header
from authn.jwks import VerificationKey, canonical_algorithm
from authn.keys import KeySource
from authn.strict_json import parse_object

# With the claims of Better Auth, a token takes about 2 KiB. Longer ones are verified every time.
MAX_REMEMBERED_TOKENS = 4096
MAX_REMEMBERED_CHARACTERS = 2 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """An accepted source of tokens: its algorithms, its keys, and the claims to require.

    ``access_token_policy`` is for OAuth access tokens (``at+jwt``). Without it they are refused.
    """

    algorithms: frozenset[str]
    keys: KeySource
    policy: ClaimPolicy
    access_token_policy: ClaimPolicy | None = None

    def policy_for(self, token_type: str) -> ClaimPolicy:
        """Raises ``TypeUnsupported``."""
        policy = self.access_token_policy if token_type == AT_JWT_TYPE else self.policy
        if policy is None:
            raise TypeUnsupported
        return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """A remembered token: its claims, and the key that verified it."""

    keys: KeySource
    kid: str | None
    key: VerificationKey
    claims: Claims


class TokenVerifier:
    """Verify tokens from any number of sources. ``clock`` is seconds since the epoch.

    The algorithm selects the trusts, which keeps a public key from serving as an HMAC secret (RFC
    8725 section 2.1). Trusts that share an algorithm, as several secrets do, are tried in turn.
    """

    def __init__(
        self,
        trusts: Sequence[Trust],
        *,
        leeway_seconds: float = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._trusts = trusts
        has_access_tokens = any(trust.access_token_policy for trust in trusts)
        self._types = {JWT_TYPE, AT_JWT_TYPE} if has_access_tokens else {JWT_TYPE}
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

    def verify(
        self, token: str, *, before_work: Callable[[], None] = lambda: None, may_wait: bool = True
    ) -> Claims:
        """Return the claims of ``token``. Raises ``TokenRejected`` or ``KeysUnavailable``.

        The header is checked before a key is looked up. An accepted token is remembered: its
        signature is not verified again while its key stays the same. ``before_work`` is called
        before any other token is looked at, and may raise to refuse the work. Without ``may_wait``
        it raises ``KeysPending`` where it would wait for keys.
        """
        digest = _digest(token)
        known = self._recall(digest, may_wait=may_wait)
        if known is not None:
            return known.claims
        before_work()
        verified = self._verify_anew(token, may_wait=may_wait)
        if len(token) <= MAX_REMEMBERED_CHARACTERS:
            with self._remembering:
                self._remembered[digest] = verified
                if len(self._remembered) > MAX_REMEMBERED_TOKENS:
                    self._remembered.popitem(last=False)
        return verified.claims

    async def averify(self, token: str) -> Claims:
        """Do the same without blocking the event loop while keys are fetched."""
        try:
            return self.verify(token, may_wait=False)
        except KeysPending as pending:
            fetched = asyncio.wrap_future(pending.fetched)
            await asyncio.wait([fetched], timeout=TIMEOUT_SECONDS)
        return self.verify(token, may_wait=False)

    def require_keys(self) -> None:
        """Raise ``KeysUnavailable`` if a source has no keys now."""
        for trust in self._trusts:
            trust.keys.require_any()

    def key_set_age_seconds(self) -> float | None:
        """Return the age of the oldest key set; ``None`` without one."""
        ages = (trust.keys.age_seconds() for trust in self._trusts)
        return max((age for age in ages if age is not None), default=None)

    def _recall(self, digest: bytes, *, may_wait: bool) -> _Verified | None:
        """Return the remembered token if its key and the time still allow it, or forget it.

        Raises ``KeysUnavailable``.
        """
        known = self._remembered.get(digest)
        if known is None:
            return None
        try:
            key = known.keys.key_for(
                kid=known.kid, algorithm=known.key.algorithm, may_wait=may_wait
            )
            now = self._clock()
            check_times(known.claims.payload, now=now, leeway_seconds=self._leeway_seconds)
            if key == known.key:
                return known
        except TokenRejected:  # for a reason that _verify_anew() finds again
            pass
        with self._remembering:
            self._remembered.pop(digest, None)
        return None

    def _verify_anew(self, token: str, *, may_wait: bool) -> _Verified:
        header = parse_header(token, accepted_types=self._types)
        algorithm = canonical_algorithm(header["alg"])
        trusts = [trust for trust in self._trusts if algorithm in trust.algorithms]
        if not trusts:
            raise AlgorithmUnsupported
        for trust in trusts:
            with suppress(SignatureInvalid):
                return self._verify_by(trust, token, header, may_wait=may_wait)
        raise SignatureInvalid

    def _verify_by(
        self, trust: Trust, token: str, header: Mapping[str, Any], *, may_wait: bool
    ) -> _Verified:
        policy = trust.policy_for(header["typ"])
        kid, algorithm = header.get("kid"), canonical_algorithm(header["alg"])
        key = trust.keys.key_for(kid=kid, algorithm=algorithm, may_wait=may_wait)
        payload = self._verified_payload(token, header["alg"], key)
        now = self._clock()
        try:
            claims = policy.check(payload, now=now, leeway_seconds=self._leeway_seconds)
        except TokenRejected as reason:
            reason.payload, reason.refused_at, reason.policy = payload, now, policy
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
