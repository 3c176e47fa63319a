"""The Django settings that ``authn`` reads: their types and defaults. None has to exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

LIST = "a list of strings"
# A sequence is one of strings. Empty means unset.
DEFAULTS: Mapping[str, str | bool | float | tuple[str, ...]] = {
    "BETTER_AUTH_URL": "",
    "BETTER_AUTH_JWKS_URL": "",
    "BETTER_AUTH_ISSUER": "",
    "BETTER_AUTH_AUDIENCE": (),
    "BETTER_AUTH_ALGORITHMS": (),
    "BETTER_AUTH_SECRET": "",
    "BETTER_AUTH_SECRETS": "",
    "BETTER_AUTH_ALLOW_HTTP": False,
    "BETTER_AUTH_LEEWAY": 30.0,
    "BETTER_AUTH_REALM": "api",
    "BETTER_AUTH_USER_RESOLVER": "",
    "OAUTH_RESOURCE": "",
}


def setting(name: str) -> Any:
    """Return the setting of the project, or its default."""
    return getattr(settings, name, DEFAULTS[name])


def mistyped() -> Iterator[tuple[str, str]]:
    """Yield each setting of a wrong type, and the type that it must have."""
    for name, default in DEFAULTS.items():
        value = setting(name)
        match default:
            case str() if not isinstance(value, str):
                yield name, "a string"
            case bool() if not isinstance(value, bool):
                yield name, "True or False"
            case float() if isinstance(value, bool) or not isinstance(value, int | float):
                yield name, "a number"
            case tuple() if not _is_list_of_strings(value):
                yield name, LIST


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset) and all(
        isinstance(item, str) for item in value
    )
