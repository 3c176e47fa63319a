"""The pytest plug-in, however pytest starts and whoever names it."""

from __future__ import annotations

import re

import pytest

from tests.package.environments import Environment
from tests.package.projects import Project, Start
from tests.support.processes import result_of

pytestmark = pytest.mark.package

TEST = """
def test_a_minted_token_is_a_user(mint, bearer):
    assert bearer(mint(sub="ada")).get("/me/").json()["id"] == "ada"
"""
NAMED = 'pytest_plugins = ["authn.testing.fixtures"]\n'
INI = """
[pytest]
addopts = -p no:cacheprovider
DJANGO_SETTINGS_MODULE = mysite.settings
filterwarnings = error
"""
AFTER_DJANGO = """
import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
django.setup()

import pytest

raise SystemExit(pytest.main())
"""


@pytest.fixture(scope="module")
def with_pytest(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment.extended(tmp_path_factory.mktemp("pytest") / "venv", "pytest-django")


@pytest.fixture
def project(start: Start, with_pytest: Environment) -> Project:
    project = start(with_pytest)
    project.configure("authn")
    project.write("pytest.ini", INI)
    project.write("test_it.py", TEST)
    return project


def assert_passes(project: Project, *arguments: str) -> None:
    result = result_of([project.environment.python, *arguments], project.directory)
    assert re.search("1 passed", result.stdout), result.stdout + result.stderr


@pytest.mark.parametrize("options", [[], ["-p", "authn.testing.fixtures"]], ids=["", "option"])
def test_the_plugin_may_be_named_once_more(project: Project, options: list[str]) -> None:
    project.write("conftest.py", NAMED)
    assert_passes(project, "-m", "pytest", *options)


def test_pytest_may_start_after_django(project: Project) -> None:
    """A test runner of Django starts it so. pytest warns of modules that it cannot rewrite."""
    assert_passes(project, "-c", AFTER_DJANGO)
