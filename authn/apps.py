from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class AuthnAppConfig(AppConfig):
    name = "authn"

    def ready(self) -> None:
        from authn.checks import check_configuration

        checks.register(check_configuration, checks.Tags.security)
