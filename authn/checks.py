"""System checks: what ``manage.py check`` says about the ``BETTER_AUTH_*`` settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from authn.conf import AuthnConfig
from authn.mistakes import mistakes_in


def check_configuration(
    *,
    app_configs: Sequence[AppConfig] | None,
    **kwargs: Any,
) -> list[CheckMessage]:
    return [
        Error(mistake.message, hint=mistake.hint, id=mistake.id)
        for mistake in mistakes_in(AuthnConfig.from_settings())
    ]
