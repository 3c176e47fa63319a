from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name


def check_pages(*, app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn about pages in production."""
    if settings.DEBUG or not settings.BROWSABLE_API:
        return []
    return [
        Warning(
            "BROWSABLE_API is on: browsers keep tokens in a cookie, and /api/docs/ runs scripts.",
            hint="Unset BROWSABLE_API, or give this API a domain of its own, on which no other "
            "application sets cookies (SECURITY.md).",
            id="browsable.W001",
        )
    ]
