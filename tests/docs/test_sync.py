"""Every block of ``docs/sync.md`` runs, with the libraries that it names.

Needs Node and the packages of ``tests/contract/generated``; run with ``pytest -m interop``.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from authn.testing import SECRET, Clock, SecretIssuer
from tests.support.client_page import BROWSER
from tests.support.pages import Block, blocks, read
from tests.support.processes import PROJECT, Api, run

PACKAGES = PROJECT / "tests" / "contract" / "generated" / "node_modules"
STORIES = Path(__file__).with_name("sync_stories.mjs")
MOST_LINES = 20  # of code in an adapter, and ten times as many on the page

ADAPTERS = blocks("docs/sync.md", "js")
CLIENT = {block.file: block.text for block in BROWSER}["lib/todos.ts"]


def test_the_page_is_short() -> None:
    assert len(read("docs/sync.md").splitlines()) <= 10 * MOST_LINES


@pytest.mark.parametrize("adapter", ADAPTERS, ids=[block.file for block in ADAPTERS])
def test_an_adapter_is_short(adapter: Block) -> None:
    lines = adapter.text.splitlines()
    assert len([line for line in lines if line and not line.startswith("//")]) <= MOST_LINES


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files of the page, and its stories."""
    directory = tmp_path_factory.mktemp("page")
    (directory / "node_modules").symlink_to(PACKAGES)
    (directory / "package.json").write_text("{}")
    (directory / STORIES.name).write_text(STORIES.read_text())
    shutil.copytree(PROJECT / "examples" / "replica", directory / "lib")
    (directory / "lib" / "todos.ts").write_text(CLIENT)
    (directory / "lib" / "auth-client.js").write_text("")
    for block in ADAPTERS:
        (directory / block.file).write_text(block.text)
    return directory


@pytest.mark.interop
@pytest.mark.parametrize(
    "story", re.findall(r'^  (?:async )?"(.*?)"(?:\(\) {|:)', STORIES.read_text(), re.MULTILINE)
)
def test_a_story_of_devices(page: Path, api: Api, story: str) -> None:
    issuer = SecretIssuer(SECRET, clock=Clock(time.time()))
    tokens = " ".join(issuer.mint(sub=f"{name} of {story}") for name in ("ada", "bob"))
    environment = {"NEXT_PUBLIC_TODOS_API": api.url, "TOKENS": tokens}
    run(["node", STORIES.name, story], page, environment)
