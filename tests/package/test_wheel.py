"""The files and the metadata of the package."""

from __future__ import annotations

import sys
import tarfile
from email import message_from_string
from importlib.metadata import PathDistribution
from pathlib import Path
from zipfile import Path as ZipPath
from zipfile import ZipFile

import pytest

from authn.version import VERSION
from tests.package.environments import Environment
from tests.support.processes import PROJECT, result_of, run

pytestmark = pytest.mark.package


def expected_files() -> set[str]:
    files = run(["git", "ls-files", "authn"], PROJECT, {}).splitlines()
    return {file for file in files if not file.startswith("authn/tests/")}


def test_the_wheel_has_authn_without_its_tests(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    assert {name for name in names if ".dist-info/" not in name} == expected_files()
    assert {"authn/py.typed", "authn/README.md"} <= {*names}


def test_the_sdist_has_nothing_else(wheel: Path) -> None:
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    added = {".gitignore", "LICENSE", "PKG-INFO", "pyproject.toml"}
    assert names == expected_files() | added


def test_the_metadata_has_the_readme_the_licence_and_the_version(wheel: Path) -> None:
    root = ZipPath(wheel, f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info/")
    metadata = message_from_string((root / "METADATA").read_text())
    assert metadata.get_payload() == (PROJECT / "authn" / "README.md").read_text()
    assert (root / "licenses" / "LICENSE").read_text() == (PROJECT / "LICENSE").read_text()
    assert (metadata["Name"], metadata["Version"]) == ("drf-better-auth", VERSION)
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_dependencies_are_four(environment: Environment) -> None:
    [found] = environment.packages.glob("drf_better_auth-*.dist-info")
    requirements = PathDistribution(found).requires or []
    names = [each.partition(">=")[0] for each in requirements]
    assert names == ["cryptography", "django", "djangorestframework", "pyjwt[crypto]"]
    environment.install("--dry-run", "drf-better-auth")  # finds every requirement installed


def test_the_installed_package_knows_its_version(environment: Environment) -> None:
    code = (
        "from importlib.metadata import version; from authn.fetching import USER_AGENT; "
        "print(USER_AGENT == 'drf-better-auth/' + version('drf-better-auth'))"
    )
    assert run([environment.python, "-c", code], environment.directory, {}) == "True\n"


def test_a_type_checker_reads_the_annotations(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text(
        "import authn\n\nreveal_type(authn.verify('a.b.c').subject)\n"
        "class Own(authn.JWTAuthentication): ...\n"
    )
    checker = ["-m", "mypy", "--strict", "--python-executable", environment.python]
    result = result_of([sys.executable, *checker, "host.py"], tmp_path)
    assert 'Revealed type is "str"' in result.stdout, result.stdout
    assert "py.typed" not in result.stdout
