"""Shared words of the tests of tokens and keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from authn.exceptions import TokenRejected
from authn.verifier import TokenVerifier

LEEWAY_SECONDS = 30
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def refused(verifier: TokenVerifier, token: str) -> type[TokenRejected]:
    with pytest.raises(TokenRejected) as caught:
        verifier.verify(token)
    return type(caught.value)


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
