"""Read ``BETTER_AUTH_SECRETS``, in the format of Better Auth."""

from __future__ import annotations

import re

# packages/better-auth/src/context/secret-utils.ts, which also takes 2x for the version 2.
ENTRY = re.compile(r"\s*(?P<version>[0-9]{1,9})\s*:\s*(?P<secret>[^,]*[^,\s])\s*")


def versioned_secrets(text: str) -> dict[int, str]:
    """Return the secrets of ``2:new,1:old`` by their versions, in their order.

    Raises ``ValueError``, without a secret in its text.
    """
    secrets: dict[int, str] = {}
    for entry in text.split(",") if text.strip() else ():
        match = ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError("an entry is not version:secret")
        version = int(match["version"])
        if version in secrets:
            raise ValueError(f"version {version} is there twice")
        secrets[version] = match["secret"]
    return secrets
