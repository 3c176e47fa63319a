"""System checks. test_conf.py has those of a wrong setting."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from pytest_django import Settings

from authn import JWTAuthentication, checks

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


@pytest.mark.parametrize("name", ["DEBUG", "BETTER_AUTH_ALLOW_HTTP"])
def test_the_warning_of_plain_http_names_the_setting_that_allows_it(
    settings: Settings, name: str
) -> None:
    settings.BETTER_AUTH_URL = "http://issuer:3000"
    setattr(settings, name, True)
    (warning,) = [each for each in checks.check_plain_http() if each.id == "authn.W010"]
    assert str(warning.hint).startswith(f"Use https and turn {name} off,")


def test_an_issuer_on_plain_http_is_a_warning_in_deployments_only(settings: Settings) -> None:
    settings.BETTER_AUTH_ISSUER = "http://app.example.com"
    assert "authn.W009" not in [message.id for message in run_checks(tags=[Tags.security])]


def found(message_id: str) -> list[Any]:
    return [each for each in run_checks(tags=[Tags.security]) if each.id == message_id]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("BETTER_AUTH_URLS", "BETTER_AUTH_URL"),
        ("BETTER_AUTH_AUDIENCES", "BETTER_AUTH_AUDIENCE"),
        ("BETTER_AUTH_JWK_URL", "BETTER_AUTH_JWKS_URL"),
        ("BETTER_AUTH_USER_RESOLVE", "BETTER_AUTH_USER_RESOLVER"),
        ("BETTER_AUTH_" + "X" * 50, "BETTER_AUTH_URL"),  # unlike any other
    ],
)
def test_a_misspelt_setting_is_a_warning(settings: Settings, name: str, nearest: str) -> None:
    assert found("authn.W018") == []
    setattr(settings, name, "https://app.example.com")
    (warning,) = found("authn.W018")
    assert name in warning.msg
    assert warning.hint == f"Did you mean {nearest}?"


class Subclass(JWTAuthentication):
    pass


SESSION = "rest_framework.authentication.SessionAuthentication"
OWN = f"{__name__}.Subclass"


@pytest.mark.parametrize(
    ("classes", "warnings"),
    [
        ([], 0),
        ([SESSION], 0),
        (["authn.JWTAuthentication"], 0),
        (["authn.JWTAuthentication", SESSION], 0),
        ([OWN, "authn.JWTAuthentication"], 0),
        ([SESSION, "rest_framework.authentication.BasicAuthentication"], 0),
        ([SESSION, "does.not.Exist"], 0),
        ([SESSION, f"{__name__}.found"], 0),
        ([SESSION, "authn.JWTAuthentication"], 1),
        ([SESSION, "authn.authentication.JWTAuthentication"], 1),
        (["does.not.Exist", "authn.JWTAuthentication"], 1),
        ([SESSION, OWN], 1),
        ([SESSION, Subclass], 1),
        ((SESSION, SESSION, OWN), 1),
    ],
    ids=repr,
)
def test_another_authenticator_in_the_first_place_is_a_warning(
    settings: Settings, classes: Any, warnings: int
) -> None:
    settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": classes}
    messages = found("authn.W019")
    assert len(messages) == warnings
    assert all("first" in message.hint for message in messages)


def test_a_project_without_drf_does_not_import_it() -> None:
    code = """
import sys
from django.conf import settings
settings.configure(BETTER_AUTH_SECRET="x" * 32, INSTALLED_APPS=["authn"])
import django
django.setup()
from django.core.checks import run_checks
print([message.id for message in run_checks()], "rest_framework" in sys.modules)
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "[] False\n"


class TestDistributions:
    @pytest.fixture(autouse=True)
    def _installed(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Install this package where its code is, and none by its name on PyPI."""
        for name in ("drf-better-auth", "authn"):
            self.install(tmp_path, name)
        monkeypatch.syspath_prepend(tmp_path)
        located = Path(checks.__file__)
        monkeypatch.setattr(metadata.PathDistribution, "locate_file", lambda *_: located)

    def install(self, directory: Path, name: str) -> None:
        info = directory / f"{name.replace('-', '_')}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "top_level.txt").write_text("authn\n")

    def test_another_distribution_of_the_same_package_is_an_error(self) -> None:
        (error,) = found("authn.E020")
        assert error.msg.startswith("authn installs a package authn, like drf-better-auth:")
        assert error.hint == (
            "pip uninstall authn, then pip install --force-reinstall drf-better-auth."
        )

    def test_one_distribution_is_no_clash(self, tmp_path: Path) -> None:
        (tmp_path / "authn-1.dist-info" / "top_level.txt").write_text("other\n")
        assert found("authn.E020") == []

    def test_a_checkout_has_its_own_folder(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        elsewhere = tmp_path / "authn" / "checks.py"
        monkeypatch.setattr(metadata.PathDistribution, "locate_file", lambda *_: elsewhere)
        assert found("authn.E020") == []
