"""The tests of ``authn``, hostile tokens among them, against the installed package."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.package.environments import Environment
from tests.support.processes import PROJECT, result_of

pytestmark = pytest.mark.package

MANY = 700  # the tests that exist, roughly: an empty run is no proof
FILES = {
    "pytest.ini": """
[pytest]
addopts = --ds=minimal --strict-markers --strict-config
pythonpath = .
filterwarnings = error
usefixtures = secret_issuer
xfail_strict = true
""",
    "minimal.py": """
SECRET_KEY = "x" * 50
INSTALLED_APPS = ["authn"]
ROOT_URLCONF = "urls"
""",
    "urls.py": "urlpatterns = []\n",
    # The copied tests import authn.tests, and all else of authn from the package.
    "conftest.py": """
from pathlib import Path

import authn

assert authn.__file__ == "{installed}"
authn.__path__.append(str(Path(__file__).parent / "authn"))
""",
}


def test_every_test_of_authn_passes_against_the_package(
    environment: Environment, tmp_path: Path
) -> None:
    tester = environment.extended(
        tmp_path / "tester",
        "pytest",
        "pytest-django",
        "pytest-xdist",
        "hypothesis",
        "drf-spectacular",
    )
    folder = tmp_path / "outside"
    shutil.copytree(PROJECT / "authn" / "tests", folder / "authn" / "tests")
    for name, text in FILES.items():
        installed = environment.packages / "authn" / "__init__.py"
        (folder / name).write_text(text.replace("{installed}", str(installed)))
    result = result_of(
        [
            tester.python,
            "-m",
            "pytest",
            "-q",
            "--tb=short",
            "--numprocesses=2",
            "-p",
            "no:cacheprovider",
        ],
        folder,
        {"CI": "true"},  # hypothesis takes its time
        patience_seconds=180,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " skipped" not in result.stdout
    assert int(re.findall(r"(\d+) passed", result.stdout)[-1]) > MANY
