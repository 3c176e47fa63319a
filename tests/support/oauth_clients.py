"""Clients of OAuth 2.1 that get access tokens from ``examples/better-auth``."""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.processes import Issuer, User

CALLBACK = "http://127.0.0.1/callback"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A public client, which ``user`` has registered and lets in."""

    user: User
    id: str

    @classmethod
    def of(cls, user: User) -> Self:
        registration = {
            "redirect_uris": [CALLBACK],
            "application_type": "native",
            "token_endpoint_auth_method": "none",
        }
        created = user.issuer.send(
            "POST", "/api/auth/oauth2/create-client", user.session_token, registration
        )
        assert created.status == 201, created.body
        return cls(user, created.data["client_id"])

    def access_token(self, scope: str, *resources: str) -> str:
        """Return what the client gets when the user consents (RFC 6749 section 4.1)."""
        verifier = secrets.token_urlsafe(32)
        digest = sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": CALLBACK,
            "scope": scope,
            "state": "any",
            "resource": resources,
            "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        path = f"/api/auth/oauth2/authorize?{urlencode(query, doseq=True)}"
        asked = self._ask("GET", path)
        answer = {"accept": True, "oauth_query": urlsplit(asked).query}
        returned = self._ask("POST", "/api/auth/oauth2/consent", body=answer)
        return token_of(
            self.user.issuer,
            {
                "grant_type": "authorization_code",
                "client_id": self.id,
                "code": parse_qs(urlsplit(returned).query)["code"],
                "redirect_uri": CALLBACK,
                "code_verifier": verifier,
                "resource": resources,
            },
        )

    def _ask(self, method: str, path: str, **rest: Any) -> str:
        """Return where the issuer sends the browser of the user."""
        answer = self.user.issuer.ask(
            method, path, self.user.session_token, Accept="application/json", **rest
        )
        url: str = answer.data["url"]
        return url


def machine_token(issuer: Issuer, secret: str, scope: str, resource: str) -> str:
    """Return what the client ``machine`` gets for itself (RFC 6749 section 4.4)."""
    form = {"grant_type": "client_credentials", "scope": scope, "resource": resource}
    basic = b64encode(f"machine:{secret}".encode()).decode()
    return token_of(issuer, form, Authorization=f"Basic {basic}")


def token_of(issuer: Issuer, form: dict[str, Any], **headers: str) -> str:
    answer = issuer.ask(
        "POST",
        "/api/auth/oauth2/token",
        body=urlencode(form, doseq=True).encode(),
        **{"Content-Type": FORM, **headers},
    )
    token: str = answer.data["access_token"]
    return token
