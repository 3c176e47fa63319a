from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from api.owned.registry import Resource
from authn.testing import SECRET, Clock, SecretIssuer
from tests.support.meanwhile import Meanwhile
from tests.support.processes import Api, Servers, migrate
from tests.support.rows import make_row
from tests.support.scenes import Scene


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database without rows, which each API starts with a copy of."""
    database = tmp_path_factory.mktemp("database") / "migrated.sqlite3"
    migrate(database)
    return database


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("servers"), migrated) as servers:
        yield servers


@pytest.fixture(scope="module")
def api(servers: Servers) -> Api:
    """A running API that trusts ``SECRET``."""
    return servers.api(secret=SECRET)


@pytest.fixture(scope="module")
def token() -> str:
    """A token of this moment, for a running API."""
    return SecretIssuer(SECRET, clock=Clock(time.time())).mint()


@pytest.fixture
def scene(alice: Client, resource: Resource, meanwhile: Meanwhile) -> Scene:
    return Scene(alice, resource, make_row(resource.view.model), meanwhile)
