"""Parse JSON that every reader understands the same way."""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_NESTING = 64


def parse(data: bytes) -> Any:
    """Parse ``data``.

    Raises ``ValueError`` for encodings other than UTF-8 (RFC 8259 section 8.1) and byte order
    marks. Repeated names, ``NaN`` and more than 64 levels of nesting raise it too.
    """
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _refuse_deep_nesting(value, MAX_NESTING)
    return value


def parse_object(data: bytes) -> dict[str, Any]:
    value = parse(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _refuse_deep_nesting(value: Any, levels: int) -> None:
    """Refuse values that a later ``json.dumps()`` could not write for want of stack."""
    if levels == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            _refuse_deep_nesting(inner, levels - 1)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_duplicates, parse_constant=_refuse_constant
)
