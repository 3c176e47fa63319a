"""Build the package, and make virtual environments that have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from typing import Self
from zipfile import ZipFile

from tests.support.processes import PROJECT, run

PATIENCE_SECONDS = 180
NEWEST_FIRST = ("3.14", "3.13", "3.12", "3.11")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment without pip: the pip of this process installs into it."""

    directory: Path

    @classmethod
    def make(cls, directory: Path, python: str = sys.executable) -> Self:
        run([python, "-m", "venv", "--without-pip", str(directory)], directory.parent, {})
        return cls(directory)

    def install(self, *arguments: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check"]
        run(
            [*pip, "install", "--quiet", "--no-input", "--no-compile", *arguments],
            self.directory,
            ambient(),
            patience_seconds=PATIENCE_SECONDS,
        )

    def extended(self, directory: Path, *requirements: str) -> Self:
        """Return an environment that has the packages of this one, and more."""
        extended = self.make(directory, self.python)
        (extended.packages / "base.pth").write_text(f"{self.packages}\n")
        extended.install(*requirements)
        return extended

    @property
    def python(self) -> str:
        return str(self.directory / "bin" / "python")

    @property
    def packages(self) -> Path:
        [packages] = self.directory.glob("lib/python*/site-packages")
        return packages

    def versions(self) -> str:
        """Return the versions of Python, Django and DRF."""
        code = (
            "import platform, django, rest_framework; "
            "print('Python', platform.python_version(), 'Django', django.__version__, "
            "'DRF', rest_framework.VERSION)"
        )
        return run([self.python, "-c", code], self.directory, {}).strip()


def build(directory: Path) -> Path:
    """Build the sdist and then the wheel from it, as a release does. Return the wheel."""
    builder = Environment.make(directory / "builder")
    requires = tomllib.loads((PROJECT / "pyproject.toml").read_text())["build-system"]["requires"]
    builder.install("build", *requires)
    build = [builder.python, "-m", "build", "--no-isolation", "--outdir", str(directory)]
    run(
        [*build, str(PROJECT)],
        directory,
        ambient(),
        patience_seconds=PATIENCE_SECONDS,
    )
    [wheel] = directory.glob("*.whl")
    return wheel


def ambient() -> dict[str, str]:
    """Return the environment, with its proxies and settings of pip, but not those of Django."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}


def oldest_dependencies(wheel: Path) -> list[str]:
    """Return the lowest version of each dependency that the wheel admits."""
    with ZipFile(wheel) as archive:
        [name] = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = message_from_string(archive.read(name).decode())
    return [each.replace(">=", "==") for each in metadata.get_all("Requires-Dist", [])]


def newest_python() -> str:
    """Return the newest Python of this machine that has venv."""
    return next(filter(_works, _pythons()), sys.executable)


def _pythons() -> Iterator[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for version in NEWEST_FIRST:
        yield f"python{version}"
        yield from map(str, pyenv.glob(f"versions/{version}.*/bin/python"))


def _works(python: str) -> bool:
    """Try it: a version manager may have a command of this name that only fails."""
    command = [python, "-c", "import ensurepip, venv"]
    return (
        bool(shutil.which(python))
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )
