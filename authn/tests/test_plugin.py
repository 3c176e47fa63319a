"""The fixtures as a plug-in of pytest: no test notices them before it asks for one."""

from __future__ import annotations

from pathlib import Path

import pytest

import authn

pytest_plugins = "pytester"

SETTINGS = """
BETTER_AUTH_SECRET = "own"
OAUTH_RESOURCE = "https://api.example.com"
INSTALLED_APPS = ["authn"]
"""
SET_UP = """
import django

django.setup()
"""
# With pytest-django, and without it.
DJANGO = {"pytest-django": [], "pytest alone": ["-p", "no:django"]}

IMPORTS_NOTHING = """
import sys


def test_nothing_is_imported():
    assert not {"django", "rest_framework", "jwt", "cryptography"} & {*sys.modules}
"""
NOTHING_CHANGES = """
import pytest

from authn import conf
from authn.keys import KeySet
from authn.verifier import TokenVerifier
from django.conf import settings


def assert_nothing_has_changed():
    assert settings.BETTER_AUTH_SECRET == "own"
    assert settings.OAUTH_RESOURCE == "https://api.example.com"
    assert not hasattr(settings, "BETTER_AUTH_URL")
    assert (conf.KeySet, conf.TokenVerifier) == (KeySet, TokenVerifier)


def test_before():
    assert_nothing_has_changed()


@pytest.mark.parametrize("name", ["mint", "secret_issuer", "issuer"])
def test_tokens(request, name):
    issuer = request.getfixturevalue(name)
    token = getattr(issuer, "mint", issuer)()
    assert conf.get_verifier().verify(token).subject == "alice"


@pytest.mark.parametrize("name", ["clock", "bearer"])
def test_others(request, name):
    request.getfixturevalue(name)
    assert settings.BETTER_AUTH_SECRET != "own"


def test_after():
    assert_nothing_has_changed()
"""
SETTINGS_OF_A_TEST = """
from django.conf import settings as django_settings


def test_one(%s):
    settings.BETTER_AUTH_SECRET = settings.OTHER = "changed"
    assert django_settings.BETTER_AUTH_SECRET == "changed"


def test_the_next():
    assert django_settings.BETTER_AUTH_SECRET == "own"
    assert not hasattr(django_settings, "OTHER")
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    root = Path(authn.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{pytester.path}:{root}")
    pytester.makeini("[pytest]\nfilterwarnings = error\n")


def run(pytester: pytest.Pytester, test: str, *arguments: str, passed: int) -> None:
    pytester.makepyfile(test)
    result = pytester.runpytest_subprocess("-p", "authn.testing.fixtures", *arguments)
    result.assert_outcomes(passed=passed)


def test_a_run_without_django_imports_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    run(pytester, IMPORTS_NOTHING, "-p", "no:django", "-p", "no:hypothesispytest", passed=1)


@pytest.mark.parametrize("arguments", DJANGO.values(), ids=DJANGO)
def test_nothing_changes_before_and_after_the_tests_that_ask(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "own_settings")
    pytester.makepyfile(own_settings=SETTINGS)
    pytester.makeconftest(SET_UP)
    run(pytester, NOTHING_CHANGES, *arguments, passed=7)


@pytest.mark.parametrize("fixtures", ["mint, settings", "settings, mint", "settings, issuer"])
def test_the_settings_of_a_test_end_with_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, fixtures: str
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "own_settings")
    pytester.makepyfile(own_settings=SETTINGS)
    run(pytester, SETTINGS_OF_A_TEST % fixtures, passed=2)
