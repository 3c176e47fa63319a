"""Linters accept ``openapi.json``, and clients generated from it compile strictly and work.

Needs Node and the packages of ``tests/contract/generated``; run with ``pytest -m interop``.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from authn.testing import SECRET, Clock, SecretIssuer
from tests.support.client_page import generating, shell_of
from tests.support.page_requests import ADDRESS
from tests.support.processes import PROJECT, Api, run

pytestmark = pytest.mark.interop

FOLDER = Path(__file__).with_name("generated")
# No tool asks a registry for itself or for something newer, or says that it was run.
OFFLINE = {
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "REDOCLY_TELEMETRY": "off",
}


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
