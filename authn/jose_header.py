"""Check the header of a token (RFC 7515 section 4), before its signature is verified."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection
from typing import Any

from authn.exceptions import HeaderUnsupported, TokenMalformed, TokenTooLong, TypeUnsupported
from authn.strict_json import parse_object

MAX_TOKEN_CHARACTERS = 8 * 1024
# Three segments of base64url without padding (RFC 7515 section 3.1).
COMPACT_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
# Compared in lower case (RFC 8725 section 3.11). The second is an OAuth access token's (RFC 9068).
JWT_TYPE = "jwt"
AT_JWT_TYPE = "at+jwt"


def parse_header(token: str, *, accepted_types: Collection[str]) -> dict[str, Any]:
    """Return the JOSE header of ``token``, or raise ``TokenRejected``.

    ``typ`` becomes one of ``accepted_types``, by default ``JWT_TYPE``.

    ``jku``, ``x5u``, ``x5c`` and ``jwk`` are ignored, because a token must not bring its own key
    (RFC 8725 section 3.5).
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise TokenTooLong
    if not (match := COMPACT_TOKEN.fullmatch(token)):
        raise TokenMalformed
    try:
        header = parse_object(urlsafe_b64decode(match[1] + "=="))  # Python ignores excess padding
    except ValueError:
        raise TokenMalformed from None
    if not isinstance(header.get("alg"), str) or not isinstance(header.get("kid", ""), str):
        raise TokenMalformed
    if "crit" in header or "b64" in header:
        raise HeaderUnsupported
    header["typ"] = str(header.get("typ", JWT_TYPE)).lower()
    if header["typ"] == f"application/{AT_JWT_TYPE}":
        header["typ"] = AT_JWT_TYPE
    if header["typ"] not in accepted_types:
        raise TypeUnsupported
    return header
