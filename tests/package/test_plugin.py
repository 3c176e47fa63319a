"""The pytest plug-in in the tests of another project."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.package.environments import Environment
from tests.package.projects import Project, Start
from tests.support.processes import result_of

pytestmark = pytest.mark.package

RESOURCE = "https://api.example.com"
WITHOUT_FIXTURES = """
import sys


def test_nothing_is_imported_or_replaced():
    assert not {"django", "rest_framework", "jwt"} & {*sys.modules}
"""
SETTINGS_STAY = """
import time

from django.conf import settings


def test_the_settings_are_the_projects_own():
    assert settings.BETTER_AUTH_URL == "https://own.example"
    assert not hasattr(settings, "BETTER_AUTH_SECRET")


def test_tokens_are_verified_by_the_projects_settings():
    import pytest

    from authn import verify
    from authn.exceptions import TokenRejected
    from authn.testing import SECRET, Clock, SecretIssuer

    with pytest.raises(TokenRejected):
        verify(SecretIssuer(SECRET, clock=Clock(time.time())).mint())
"""
WITH_FIXTURES = """
def test_a_minted_token_is_a_user(mint, bearer):
    assert bearer(mint(sub="ada")).get("/me/").json()["id"] == "ada"


def test_the_clock_ages_a_token(mint, bearer, clock):
    client = bearer(mint())
    clock.advance(3600)
    assert client.get("/me/").status_code == 401


def test_an_issuer_has_a_key_set(issuer, bearer):
    assert bearer(issuer.mint(sub="ada")).get("/me/").json()["id"] == "ada"


def test_the_key_set_verifies_access_tokens(issuer, bearer):
    from django.test import override_settings

    resource = "https://api.example.com"
    token = issuer.mint_access_token(resource=resource, sub="ada")
    with override_settings(OAUTH_RESOURCE=resource):
        assert bearer(token).get("/me/").json()["id"] == "ada"
"""
SET_UP = """
import os

import django
from django.test.utils import setup_test_environment

os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
django.setup()
setup_test_environment()
"""


@pytest.fixture(scope="module")
def with_pytest(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment.extended(tmp_path_factory.mktemp("pytest") / "venv", "pytest")


@pytest.fixture(scope="module")
def with_pytest_django(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    return environment.extended(tmp_path_factory.mktemp("pytest-django") / "venv", "pytest-django")


def run_pytest(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [project.environment.python, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"]
    result = result_of([*command, *arguments], project.directory, {"PYTHONPATH": "."})
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def passed(result: subprocess.CompletedProcess[str]) -> int:
    found = re.search(r"(\d+) passed", result.stdout)
    return int(found[1]) if found else 0


def test_tests_without_django_do_not_notice(start: Start, with_pytest: Environment) -> None:
    project = start(with_pytest)
    project.write("test_it.py", WITHOUT_FIXTURES)
    assert passed(run_pytest(project)) == 1


def test_nothing_changes_until_a_fixture_is_asked_for(
    start: Start, with_pytest_django: Environment
) -> None:
    project = start(with_pytest_django)
    project.configure(BETTER_AUTH_URL="https://own.example")
    project.write("test_it.py", SETTINGS_STAY)
    assert passed(run_pytest(project, "--ds=mysite.settings")) == 2


def test_the_fixtures_work_with_pytest_django(
    start: Start, with_pytest_django: Environment
) -> None:
    project = start(with_pytest_django)
    project.configure(OAUTH_RESOURCE=RESOURCE, BETTER_AUTH_URL="https://own.example")
    project.write("test_it.py", WITH_FIXTURES)
    assert passed(run_pytest(project, "--ds=mysite.settings")) == 4


def test_the_fixtures_work_without_pytest_django(start: Start, with_pytest: Environment) -> None:
    project = start(with_pytest)
    project.write("conftest.py", SET_UP)
    project.write("test_it.py", WITH_FIXTURES + SETTINGS_STAY)
    project.configure(OAUTH_RESOURCE=RESOURCE, BETTER_AUTH_URL="https://own.example")
    assert passed(run_pytest(project)) == 6
