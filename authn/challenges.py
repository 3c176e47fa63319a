"""Challenges in ``WWW-Authenticate`` (RFC 6750 section 3)."""

from __future__ import annotations

import re

from authn.conf import get_config

UNQUOTABLE = re.compile(r"[^ !#-\[\]-~]")


def bearer_challenge() -> str:
    """Return the challenge of a request without a token, with which all others begin.

    With OAUTH_RESOURCE it says where the metadata is (RFC 9728 section 5.1). Raises
    ``NotConfigured``, because no token helps until the operator has set what is missing.
    """
    config = get_config()
    challenge = f"Bearer {parameters(realm=config.realm)}"
    if url := config.resource_metadata_url:
        challenge += f", {parameters(resource_metadata=url)}"
    return challenge


def parameters(**values: str) -> str:
    """Join quoted strings. A character that RFC 6750 does not allow in one becomes ``?``."""
    return ", ".join(f'{name}="{UNQUOTABLE.sub("?", value)}"' for name, value in values.items())
