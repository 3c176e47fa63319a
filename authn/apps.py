from __future__ import annotations

from django.apps import AppConfig, apps


class AuthnAppConfig(AppConfig):
    name = "authn"

    def ready(self) -> None:
        from authn import checks  # noqa: F401 - registers them

        if apps.is_installed("drf_spectacular"):
            from authn import openapi  # noqa: F401 - registers the security schemes
