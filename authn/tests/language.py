"""Shared words of the tests of tokens and keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from authn.claims import ClaimPolicy
from authn.exceptions import KeysUnavailable, TokenRejected
from authn.keys import KeySet, SecretKey
from authn.testing import KEY_SET_ALGORITHMS, SECRET, Issuer
from authn.verifier import TokenVerifier, Trust

LEEWAY_SECONDS = 30
RESOURCE = "https://api.example.com/v1"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# The type of the fixture `grant`.
Grant = Callable[..., str]


class WorkNeeded(Exception):
    """The verifier does not remember the token."""


class Gate:
    """An issuer that answers once ``opened`` is set."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.opened = threading.Event()
        self.opened.set()
        self.at_once = 0
        self.most_at_once = 0

    def fetch(self) -> bytes:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.opened.wait(5)
        self.at_once -= 1
        return self.issuer.fetch()


def remembered(verifier: TokenVerifier, token: str) -> bool:
    """Tell if the token passes without a look at its signature."""

    def before_work() -> None:
        raise WorkNeeded

    with suppress(WorkNeeded, KeysUnavailable):
        verifier.verify(token, before_work=before_work)
        return True
    return False


def refused(verifier: TokenVerifier, token: str) -> type[TokenRejected]:
    with pytest.raises(TokenRejected) as caught:
        verifier.verify(token)
    return type(caught.value)


def secret_trust(policy: ClaimPolicy | None = None) -> Trust:
    return Trust(
        algorithms=frozenset({"HS256"}),
        keys=SecretKey(SECRET.encode()),
        policy=policy or ClaimPolicy(),
    )


def key_set_trust(issuer: Issuer, policy: ClaimPolicy | None = None) -> Trust:
    return Trust(
        algorithms=frozenset(KEY_SET_ALGORITHMS),
        keys=KeySet(issuer.fetch, clock=issuer.clock),
        policy=policy or ClaimPolicy(),
    )


def with_other_unused_bits(token: str) -> str:
    """Spell the last byte of ``token`` another way: 64 bytes leave 4 bits of base64 unused."""
    return token[:-1] + BASE64URL[BASE64URL.index(token[-1]) ^ 1]


def settle(keys: Any) -> None:
    """Wait for a fetch in the background to end."""
    wait_until(lambda: not keys._is_fetching())


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true within 5 seconds"
        time.sleep(0.001)
