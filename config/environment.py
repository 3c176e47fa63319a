"""The environment, and under it the file ``.env``: what the settings are made of.

A blank value counts as unset. ``os.environ`` is not filled from the file: what this process
starts would inherit that.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from config import connections
from config.dotenv import read_dotenv

BASE_DIR = Path(__file__).resolve().parent.parent
WINDOW_SECONDS = {"s": 1, "min": 60, "h": 3600}
# The suite must not depend on a developer's file.
_file = {} if "PYTEST_VERSION" in os.environ else read_dotenv(BASE_DIR / ".env")
ENVIRONMENT = {**_file, **os.environ}


def text(name: str, default: str = "") -> str:
    return ENVIRONMENT.get(name) or default


def items(name: str) -> list[str]:
    """A comma list. Spaces around its items do not count."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def flag(name: str) -> bool:
    """Off unless it is clearly on: a typing mistake must not open anything."""
    return text(name).lower() in environ.Env.BOOLEAN_TRUE_STRINGS


def whole_number(name: str, default: int, *, minimum: int | None = None) -> int:
    value = text(name, str(default))
    if not re.fullmatch("-?[0-9]{1,9}", value):
        raise ImproperlyConfigured(f"{name} must be a whole number.")
    if minimum is not None and int(value) < minimum:
        raise ImproperlyConfigured(f"{name} must be {minimum} or more.")
    return int(value)


def rate(name: str, default: str) -> tuple[int, int]:
    """``"600/min"`` -> how many, and in how many seconds."""
    match = re.fullmatch("([1-9][0-9]{0,8})/(s|min|h)", text(name, default))
    if not match:
        raise ImproperlyConfigured(f"{name} must be a number and a time: N/s, N/min or N/h.")
    return int(match[1]), WINDOW_SECONDS[match[2]]


def secret(name: str) -> str:
    """What a client sends after ``Bearer`` (RFC 6750 section 2.1), too long to be guessed."""
    value = text(name)
    if value and not re.fullmatch("[A-Za-z0-9._~+/-]{32,}=*", value):
        raise ImproperlyConfigured(
            f"{name} must be 32 characters or more, of letters, digits and - . _ ~ + / only."
        )
    return value


def choice(name: str, *, of: tuple[str, ...], default: str) -> str:
    value = text(name, default).upper()
    if value not in of:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(of)}.")
    return value


def database(name: str, *, default: Path) -> dict[str, Any]:
    return connections.database(name, text(name), default=default)


def cache(name: str) -> dict[str, Any]:
    return connections.cache(name, text(name))
