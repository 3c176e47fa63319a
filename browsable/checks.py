"""A system check: pages are for development, unless somebody has decided otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


def check_pages(
    *, app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    if settings.DEBUG or not settings.BROWSABLE_API:
        return []
    return [
        checks.Warning(
            "BROWSABLE_API is on: browsers keep a token in a cookie, and /api/docs/ runs scripts.",
            hint="Leave BROWSABLE_API unset, or give this API a domain of its own, on which nobody "
            "else writes cookies (SECURITY.md).",
            id="browsable.W001",
        )
    ]
