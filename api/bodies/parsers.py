from __future__ import annotations

from typing import IO, Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError

from authn import strict_json


class JSONParser(parsers.JSONParser):
    """Strict JSON in UTF-8, whatever charset the header names (RFC 8259 section 8.1)."""

    def parse(self, stream: IO[Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return strict_json.parse(stream.read())
        except ValueError:
            raise ParseError("The body is not JSON in UTF-8, or a name occurs twice.") from None


class MergePatchParser(JSONParser):
    """RFC 7396."""

    media_type = "application/merge-patch+json"
