"""This project under its production server does what its OpenAPI document says.

Run with ``pytest -m live``. How schemathesis is run, and what it cannot expect to hold, is in
``schemathesis.toml`` and ``schemathesis_hooks.py``.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from authn.testing import Clock, SecretIssuer
from tests.support.processes import PROJECT, Api, Servers, run

pytestmark = pytest.mark.live

RUN_SECONDS = 900  # it takes one minute, on a slow machine two
UNLIMITED = "1000000/s"
COMMAND = [
    str(Path(sys.executable).with_name("schemathesis")),
    "--config-file",
    str(Path(__file__).with_name("schemathesis.toml")),
    "run",
]


@pytest.fixture
def issuer() -> SecretIssuer:
    return SecretIssuer(secrets.token_urlsafe(32), clock=Clock(time.time()))


@pytest.fixture
def api(issuer: SecretIssuer, tmp_path: Path, migrated: Path) -> Iterator[Api]:
    with Servers(tmp_path, migrated) as servers:
        yield servers.api(secret=issuer.secret, THROTTLE_USER=UNLIMITED, THROTTLE_ANON=UNLIMITED)


@pytest.fixture
def tokens(issuer: SecretIssuer, tmp_path: Path) -> Path:
    """A file with valid tokens of Alice and Bob, in the form of Web Fuzzing Commons."""
    until = int(time.time()) + 2 * RUN_SECONDS
    bearer = {name: f"Bearer {issuer.mint(sub=name, exp=until)}" for name in ("alice", "bob")}
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": value}]}
        for name, value in bearer.items()
    ]
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps({"auth": users}))
    return file


# Each with a server of its own: a story ends early where other requests left something behind.
@pytest.mark.parametrize("phases", ["examples,coverage,fuzzing", "stateful"])
def test_schemathesis_finds_nothing(phases: str, api: Api, tokens: Path, tmp_path: Path) -> None:
    command = [*COMMAND, f"{api.url}/api/schema/", "--phases", phases]
    environment = {"PYTHONPATH": str(PROJECT), "SCHEMATHESIS_AUTH_FILE": str(tokens)}
    run(command, tmp_path, environment, patience_seconds=RUN_SECONDS)
