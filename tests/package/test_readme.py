"""The first steps in the README of the package, line by line, in an empty folder."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.package.environments import ambient, newest_python
from tests.package.projects import Site
from tests.support.page_requests import run_requests
from tests.support.pages import Block, blocks
from tests.support.processes import free_port, run

pytestmark = [pytest.mark.package, pytest.mark.xdist_group("newest Django")]

README = "authn/README.md"
logger = logging.getLogger(__name__)


def first_steps() -> list[Block]:
    found = blocks(README, "sh", "python")
    return [block for block in found if block.title == "First request"]


def test_the_first_steps_lead_to_an_answer(wheel: Path, tmp_path: Path) -> None:
    """Only the source of ``pip install drf-better-auth`` differs: the package as it is here."""
    folder, programs, port = tmp_path / "empty", tmp_path / "programs", free_port()
    folder.mkdir()
    programs.mkdir()
    (programs / "python3").symlink_to(newest_python())
    environment = {
        **ambient(),
        "PATH": f"{folder}/.venv/bin:{programs}:{os.environ['PATH']}",
        "PIP_FIND_LINKS": str(wheel.parent),
    }
    started = time.monotonic()
    steps = first_steps()
    starts = [number for number, step in enumerate(steps) if "runserver" in step.text]
    assert len(starts) == 1
    [start] = starts
    for step in steps[:start]:
        take(step, folder, environment)
    before, _, _ = steps[start].text.rpartition("python manage.py runserver")
    run(["bash", "-ec", before], folder, environment)
    site = Site(
        ["python", "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        port=port,
        directory=folder,
        environment=environment,
        log=tmp_path / "server.log",
    )
    with site:
        requests = steps[start + 1]
        assert "curl" in requests.text
        printed = run_requests(requests.text, folder, site.url, environment)
        logger.info("The README leads to an answer in %.0f s.", time.monotonic() - started)
    assert '{"id":"alice"}' in printed
    for step in steps[start + 2 :]:
        take(step, folder, environment)
    run(["python", "manage.py", "check"], folder, environment)


def take(step: Block, folder: Path, environment: Mapping[str, str]) -> None:
    if step.language == "sh":
        run(["bash", "-ec", step.text], folder, environment, patience_seconds=180)
        return
    first_line, _, _ = step.text.partition("\n")
    assert step.file, "name the file in a comment on the first line"
    with (folder / step.file).open("a" if "at the end" in first_line else "w") as file:
        file.write(step.text)
