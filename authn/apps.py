from __future__ import annotations

from django.apps import AppConfig


class AuthnAppConfig(AppConfig):
    name = "authn"

    def ready(self) -> None:
        from authn import checks  # noqa: F401 - registers them
