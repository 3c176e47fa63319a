"""``docs/new-resource.md`` makes a complete resource, if a copy of the project carries it out."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pages import Block, blocks
from tests.support.processes import PROJECT, run

PAGE = "docs/new-resource.md"
MOST_LINES = 60  # of the resource, without its tests
COMMAND_SECONDS = 300
# The last command of the page runs these, of the first three what is about the resource.
GUARDS = [
    "tests/contract/test_isolation.py",
    "tests/contract/test_openapi.py",
    "tests/database/test_statements.py",
    "tests/test_apps.py",
]
QUICK = ["-n", "2", "tests/contract", "tests/database", "api", "browsable", "notes"]
EVERY_ENDPOINT = ["-m", "live", "tests/docs/test_requests.py", "-k", "every_endpoint"]
EDITED_FILE = re.compile(r"^\+\+\+ (\S+)\n", re.MULTILINE)


def test_the_resource_of_the_page_is_short() -> None:
    code = [block.text for block in blocks(PAGE, "python") if "/tests/" not in block.file]
    added = [
        line
        for block in blocks(PAGE, "diff")
        for name, hunks in edits(block)
        for line in hunks.splitlines()
        if name.endswith(".py") and line.startswith("+")
    ]
    assert (len(code), len(added)) == (4, 3)
    lines = sum(len(text.splitlines()) - 1 for text in code)  # the first is the file's name
    assert lines + len(added) <= MOST_LINES


@pytest.mark.live
def test_the_page_makes_a_resource_that_the_tests_of_the_project_accept(tmp_path: Path) -> None:
    copy_project(tmp_path)
    printed = "".join(carry_out(block, tmp_path) for block in blocks(PAGE))
    assert [guard for guard in GUARDS if guard not in printed] == []
    for tests in (QUICK, EVERY_ENDPOINT):
        run_in(tmp_path, sys.executable, "-m", "pytest", *tests)


def copy_project(folder: Path) -> None:
    """Copy what git has, with the packages of this Python and the ``.env`` of a developer."""
    for name in run(["git", "ls-files"], PROJECT, {}).splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, folder / name)
    venv = folder / ".venv"
    venv.mkdir()
    for each in Path(sys.prefix).glob("[!.]*"):
        (venv / each.name).symlink_to(each)
    for name in (".ready", ".ready-dev"):  # keep make from installing
        (venv / name).touch()
    (folder / ".env").write_text("BETTER_AUTH_URL=https://app.example.com\n")


def carry_out(block: Block, folder: Path) -> str:
    """Write or change files, or return the output of commands."""
    match block.language:
        case "python":
            (folder / block.file).write_text(block.text)
        case "diff":
            for name, hunks in edits(block):
                for hunk in hunks.split("@@\n"):
                    edit(folder / name, hunk.splitlines(keepends=True))
        case "sh":
            return run_in(folder, "bash", "-euc", block.text)
        case language:
            pytest.fail(f"Nothing runs a block of {language!r}.")
    return ""


def edits(block: Block) -> Iterator[tuple[str, str]]:
    """Return the name of each file of a diff, and its hunks."""
    _, *parts = EDITED_FILE.split(block.text)
    return zip(parts[::2], parts[1::2], strict=True)


def edit(file: Path, lines: list[str]) -> None:
    """Replace the lines of a diff without ``+`` by those without ``-``."""
    before = "".join(line[1:] for line in lines if line[0] != "+")
    after = "".join(line[1:] for line in lines if line[0] != "-")
    text = file.read_text()
    assert text.count(before) == 1, f"{file.name} should have these lines once:\n{before}"
    file.write_text(text.replace(before, after))


def run_in(folder: Path, *command: str) -> str:
    # mypy checks only what differs from its last run on this project.
    environment = {"ENV_FILE": ".env", "MYPY_CACHE_DIR": str(PROJECT / ".mypy_cache")}
    return run(command, folder, environment, patience_seconds=COMMAND_SECONDS)
