"""Linters accept ``openapi.json``, and clients generated from it compile strictly and work.

Needs Node and the packages of ``tests/contract/generated``; run with ``pytest -m interop``.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from authn.testing import Clock, SecretIssuer
from tests.support.client_page import ADDRESS, generating, shell_of
from tests.support.processes import PROJECT, Api, Servers, migrate, run

pytestmark = pytest.mark.interop

SECRET = secrets.token_urlsafe(32)
FOLDER = Path(__file__).with_name("generated")
# No tool asks a registry for itself or for something newer, or says that it was run.
OFFLINE = {
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "REDOCLY_TELEMETRY": "off",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    directory = tmp_path_factory.mktemp("servers")
    migrate(directory / "migrated.sqlite3")
    with Servers(directory, directory / "migrated.sqlite3") as servers:
        yield servers.api(secret=SECRET)


@pytest.mark.parametrize(
    ("story", "generator", "flags"),
    [
        ("openapi-fetch", "openapi-typescript", []),
        # The code that this generator adds to every client breaks that rule.
        ("hey-api", "openapi-ts", ["--exactOptionalPropertyTypes", "false"]),
        ("orval", "orval", []),
    ],
    ids=["openapi-fetch", "hey-api", "orval"],
)
def test_a_generated_client_creates_changes_and_deletes(
    api: Api, tmp_path: Path, story: str, generator: str, flags: list[str]
) -> None:
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    for name in ("package.json", "tsconfig.json", f"{story}.ts"):
        shutil.copy(FOLDER / name, tmp_path)
    script = f"{shell_of()}{generating('curl')}\n{generating(generator)}"
    script = script.replace(ADDRESS, api.url)
    run(["bash", "-euc", script], tmp_path, {**OFFLINE, "HOME": str(tmp_path)})
    run(["node", "node_modules/typescript/bin/tsc", *flags], tmp_path, {})
    token = SecretIssuer(SECRET, clock=Clock(time.time())).mint(sub=story)
    run(["node", f"built/{story}.js"], tmp_path, {"API": api.url, "TOKEN": token})


@pytest.mark.parametrize(
    "command",
    [
        ["redocly", "lint", "--config", "redocly.yaml"],
        ["spectral", "lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint"],
    ],
    ids=["redocly", "spectral"],
)
def test_a_linter_accepts_the_document(tmp_path: Path, command: list[str]) -> None:
    environment = {**OFFLINE, "HOME": str(tmp_path)}
    run(["npx", *command, str(PROJECT / "openapi.json")], FOLDER, environment)
