"""System checks of proxies and deployments. test_conf.py has those of a wrong setting."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from pytest_django import Settings

JWKS_URL = "https://app.example.com/api/auth/jwks"


@pytest.mark.parametrize(
    ("proxy", "ids"),
    [
        ("http://proxy.example.com:3128", []),
        ("proxy.example.com:3128", []),
        ("socks5://proxy.example.com:1080", ["authn.E011"]),
        ("https://proxy.example.com", ["authn.E011"]),
    ],
)
def test_an_unusable_proxy_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, proxy: str, ids: list[str]
) -> None:
    settings.BETTER_AUTH_URL = "https://app.example.com"
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    found = [each for each in run_checks(tags=[Tags.security]) if str(each.id) == "authn.E011"]
    assert [each.id for each in found] == ids
    assert all("proxy.example.com" not in each.msg for each in found)


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, []),
        ({"URL": "https://app.example.com"}, []),
        ({"URL": "http://localhost:3000"}, []),
        ({"URL": "http://app.example.com"}, ["authn.E005", "authn.W009"]),
        ({"URL": "http://issuer:3000", "ALLOW_HTTP": True}, ["authn.W009", "authn.W010"]),
        (
            {"URL": "https://a.example", "JWKS_URL": "http://issuer/jwks", "ALLOW_HTTP": True},
            ["authn.W010"],
        ),
        ({"URL": "https://app.example.com", "ALLOW_HTTP": True}, []),
        ({"URL": "http://localhost:3000", "ALLOW_HTTP": True}, []),
        ({"ALLOW_HTTP": True}, []),
        (
            {"URL": "http://issuer:3000", "ALLOW_HTTP": True, "ALGORITHMS": ["HS256"]},
            ["authn.W009"],
        ),
        ({"URL": "http://app.example.com", "JWKS_URL": JWKS_URL}, ["authn.W009"]),
        ({"URL": "http://app.example.com", "ALGORITHMS": ["HS256"]}, ["authn.W009"]),
        ({"URL": "https://app.example.com", "ISSUER": "http://app.example.com"}, ["authn.W009"]),
        ({"ISSUER": "http://localhost.example.com"}, ["authn.W009"]),
        ({"ISSUER": "https://app.example.com"}, []),
        ({"ISSUER": "app"}, []),
    ],
    ids=repr,
)
def test_an_issuer_or_a_key_set_on_plain_http_is_reported(
    settings: Settings, values: dict[str, Any], ids: list[str]
) -> None:
    for name, value in values.items():
        setattr(settings, f"BETTER_AUTH_{name}", value)
    found = run_checks(tags=[Tags.security], include_deployment_checks=True)
    messages = [message for message in found if str(message.id).startswith("authn.")]
    assert sorted(str(message.id) for message in messages) == ids
    assert all(message.hint for message in messages)


def test_an_issuer_on_plain_http_is_a_warning_in_deployments_only(settings: Settings) -> None:
    settings.BETTER_AUTH_ISSUER = "http://app.example.com"
    assert "authn.W009" not in [message.id for message in run_checks(tags=[Tags.security])]
