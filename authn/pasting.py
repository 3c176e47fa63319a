"""A token out of the ways in which people hand one over."""

from __future__ import annotations

import re

from authn import strict_json

# A byte order mark is what some editors and shells put in front of a file.
AROUND_A_TOKEN = re.compile(
    r"^[\s\"'\ufeff]*(authorization:)?\s*(bearer(\s|$))?|[\"']", re.IGNORECASE
)


def pasted_token(text: str) -> str:
    """A token out of what people paste: it, a header field, or the answer of Better Auth."""
    if (bare := text.lstrip("\ufeff \t\r\n")).startswith("{"):
        try:
            text = str(strict_json.parse_object(bare.encode())["token"])
        except (ValueError, KeyError):
            return text
    return "".join(AROUND_A_TOKEN.sub("", text).split())
