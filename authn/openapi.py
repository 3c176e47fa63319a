"""The security schemes of JWTAuthentication in the OpenAPI document of drf-spectacular.

``authn`` in INSTALLED_APPS registers them. Otherwise import this module, in ``ready()`` of an app.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import spectacular_settings

from authn.conf import AuthnConfig
from authn.permissions import HasScope

JSON = dict[str, Any]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The token of a user's session and, with OAUTH_RESOURCE, the access token of a client.

    The scopes of an operation are those of the ``HasScope`` in its ``permission_classes``.
    OAUTH2_SCOPES in SPECTACULAR_SETTINGS describes them: ``{"todos:read": "Read your todos"}``.
    """

    target_class = "authn.authentication.JWTAuthentication"
    match_subclasses = True

    @property
    def name(self) -> list[str]:  # type: ignore[override]
        return [*_schemes()]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[JSON]:
        return [*_schemes().values()]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[JSON]:
        requirements: list[JSON] = [{"bearer": []}]
        scopes = _scopes_of(auto_schema)
        if "oauth2" in self.name and scopes is not None:
            requirements.append({"oauth2": sorted(scopes)})
        return requirements


def _schemes() -> JSON:
    schemes: JSON = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `token` of Better Auth's `GET /api/auth/token`.",
        }
    }
    config = AuthnConfig()
    if config.resource:
        base = config.oauth_base_url
        token_url = spectacular_settings.OAUTH2_TOKEN_URL or f"{base}/oauth2/token"
        schemes["oauth2"] = {
            "type": "oauth2",
            "description": "An access token of Better Auth, asked for with "
            f"`resource={config.resource}`.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": spectacular_settings.OAUTH2_AUTHORIZATION_URL
                    or f"{base}/oauth2/authorize",
                    "tokenUrl": token_url,
                    "refreshUrl": spectacular_settings.OAUTH2_REFRESH_URL or token_url,
                    "scopes": spectacular_settings.OAUTH2_SCOPES or {},
                }
            },
        }
    return schemes


def _scopes_of(auto_schema: AutoSchema) -> set[str] | None:
    """Return the scopes that the operation needs; ``None`` if none allows it."""
    scopes: set[str] = set()
    for permission in auto_schema.view.get_permissions():
        if isinstance(permission, HasScope):
            required = permission.required_scopes(auto_schema.method)
            if required is None:
                return None
            scopes.update(required)
    return scopes
