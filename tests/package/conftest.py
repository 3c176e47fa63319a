from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from authn.testing import Clock
from tests.faults.stub_issuer import StubIssuer, stub_issuer
from tests.package.environments import Environment, build, newest_python, oldest_dependencies
from tests.package.projects import Project, Start

# Each worker of pytest-xdist makes one of the environments.
DJANGOS = [
    pytest.param(name, marks=pytest.mark.xdist_group(name))
    for name in ("oldest Django", "newest Django")
]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session", params=DJANGOS)
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, wheel: Path
) -> Environment:
    """The package and its dependencies alone: the oldest that it admits, or the newest."""
    directory = tmp_path_factory.mktemp("environment") / "venv"
    if request.param == "newest Django":
        environment = Environment.make(directory, newest_python())
        environment.install(str(wheel))
    else:
        environment = Environment.make(directory)
        environment.install(str(wheel), *oldest_dependencies(wheel))
    print(environment.versions())  # noqa: T201 - pytest shows it with a failure
    return environment


@pytest.fixture
def start(environment: Environment, tmp_path: Path) -> Start:
    """Start a project, in ``environment`` or in another that extends it."""
    return lambda other=environment: Project(other, tmp_path)


@pytest.fixture
def project(start: Start) -> Project:
    return start()


@pytest.fixture
def now() -> Clock:
    """The time of the issuers whose tokens a running project verifies."""
    return Clock(time.time())


@pytest.fixture(scope="session")
def live_issuer() -> Iterator[StubIssuer]:
    """A Better Auth that serves its key set over http, on loopback."""
    with stub_issuer() as issuer:
        yield issuer
