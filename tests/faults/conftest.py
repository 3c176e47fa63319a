from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from authn.testing import SECRET
from tests.faults.language import TEST_SECONDS
from tests.faults.services import Redis, redis_server
from tests.support.postgresql import Cluster, postgresql
from tests.support.processes import Servers, api_environment


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    def stop(*arguments: object) -> None:
        raise TimeoutError(f"a test takes longer than {TEST_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture
def servers(directory: Path, migrated: Path) -> Iterator[Servers]:
    with Servers(directory, migrated) as servers:
        yield servers


@pytest.fixture(scope="session")
def database() -> Iterator[Cluster]:
    with postgresql() as server:
        server.migrate(api_environment(Path("unused"), issuer_url="", secret=SECRET))
        yield server


@pytest.fixture
def redis(directory: Path) -> Iterator[Redis]:
    with redis_server(directory) as server:
        yield server
