from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class AuthnAppConfig(AppConfig):
    name = "authn"

    def ready(self) -> None:
        from authn.checks import check_configuration, check_issuer, check_key_set

        checks.register(check_configuration, checks.Tags.security)
        checks.register(check_issuer, checks.Tags.security, deploy=True)
        checks.register(check_key_set, checks.Tags.security, deploy=True)
