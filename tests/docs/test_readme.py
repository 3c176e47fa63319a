"""The lines of the README's chapter on the API do what is written behind them.

They run in one bash, one after another, against a real process. Needs bash and curl; run with
``pytest -m live``.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from authn.testing import Clock, SecretIssuer
from tests.support.processes import PROJECT, Servers, migrate, with_path

pytestmark = pytest.mark.live

ADDRESS = "http://127.0.0.1:8000"
SECRET = "the secret that the README is read with"
TIMEOUT_SECONDS = 60
# What a reader sees stays as it is: what is told for the test comes on standard error.
PRELUDE = r"""
set -euo pipefail
curl() { command curl -sS "$@" -w '%{stderr}\n%{http_code} %{method} %{url_effective}\n'; }
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A command of the README and, where it has a comment, what that says of the answer."""

    command: str
    comment: str

    @property
    def status(self) -> str:
        return self.comment[:3] or "200"

    @property
    def header(self) -> str:
        return self.comment[3:].removeprefix(", ")

    @property
    def is_request(self) -> bool:
        return "curl " in self.command


@dataclass(frozen=True, slots=True)
class Answer:
    """What a line printed, and the request that it sent with the status that it got."""

    output: str
    status: str
    method: str
    path: str

    @classmethod
    def read(cls, directory: Path, number: int) -> Answer:
        told = (directory / f"{number}.err").read_text()
        (request,) = re.findall(r"^(\d{3}) ([A-Z]+) http://[^/]+([^?\s]*)", told, re.MULTILINE)
        return cls((directory / f"{number}.out").read_text(), *request)


def chapter() -> str:
    readme = (PROJECT / "README.md").read_text()
    return readme.partition("\n## The API\n")[2].partition("\n## ")[0]


def read_lines() -> list[Line]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", chapter(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in commands(block)]
    comments = [re.search(r"  # (\d{3}(?:, .*)?)$", line) for line in lines]
    return [
        Line(line, comment[1] if comment else "")
        for line, comment in zip(lines, comments, strict=True)
    ]


def commands(block: str) -> Iterator[str]:
    """The commands of a block; one goes on while a quote is open or a line ends with ``\\``."""
    command = ""
    for line in block.splitlines():
        command = f"{command}\n{line}" if command else line
        if not line.endswith("\\") and has_closed_quotes(command):
            yield command
            command = ""
    assert not command


def has_closed_quotes(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


LINES = read_lines()
REQUESTS = [number for number, line in enumerate(LINES) if line.is_request]
every_request = pytest.mark.parametrize(
    "number", REQUESTS, ids=lambda number: LINES[number].command[:60]
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Answer]:
    directory = tmp_path_factory.mktemp("readme")
    database = directory / "migrated.sqlite3"
    migrate(database)
    with Servers(directory, database) as servers:
        run_lines(servers.api(secret=SECRET).url, directory)
    return {number: Answer.read(directory, number) for number in REQUESTS}


def run_lines(url: str, directory: Path) -> None:
    steps = (f"{{ {line.command}\n}} >{n}.out 2>{n}.err\n" for n, line in enumerate(LINES))
    script = PRELUDE + "".join(steps).replace(ADDRESS, url)
    token = SecretIssuer(SECRET, clock=Clock(time.time())).mint(sub="ada")
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env=with_path({"TOKEN": token}),
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    last = max((int(file.stem) for file in directory.glob("*.err")), default=0)
    assert result.returncode == 0, LINES[last].command + (directory / f"{last}.err").read_text()


def test_every_line_is_read() -> None:
    assert len(REQUESTS) == chapter().count("curl ") >= 25


@every_request
def test_a_line_is_answered_with_what_is_written_behind_it(
    answers: dict[int, Answer], number: int
) -> None:
    line, answer = LINES[number], answers[number]
    assert answer.status == line.status, answer.output
    assert line.header.lower() in answer.output.lower()  # names have no case


def test_every_endpoint_has_a_line(answers: dict[int, Answer]) -> None:
    paths = json.loads((PROJECT / "openapi.json").read_text())["paths"]
    for template, operations in paths.items():
        path = re.compile(re.sub(r"{\w+}", "[^/]+", template))
        sent = {each.method.lower() for each in answers.values() if path.fullmatch(each.path)}
        assert operations.keys() <= sent, template
