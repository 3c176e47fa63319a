"""The requests of the README and of ``docs/api.md`` get the answers in their comments.

The lines of a page run in one bash, one after another, against a real process. Needs bash and
curl; run with ``pytest -m live``.
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

from authn.testing import SECRET, Clock, SecretIssuer
from tests.support.pages import section, texts
from tests.support.processes import PROJECT, Api, with_path

pytestmark = pytest.mark.live

# Page -> the heading above its requests.
TITLES = {"README.md": "Three requests", "docs/api.md": "Requests"}
ADDRESS = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 60
# The lines of the page run unchanged: curl writes the request and its status to standard error.
PRELUDE = r"""
set -euo pipefail
curl() { command curl -sS "$@" -w '%{stderr}\n%{http_code} %{method} %{url_effective}\n'; }
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A command of a page, and the status and header that its comment promises."""

    page: str
    number: int
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
    """The output of a line, and the request that curl sent with the status of its answer."""

    output: str
    status: str
    method: str
    path: str

    @classmethod
    def read(cls, directory: Path, number: int) -> Answer:
        told = (directory / f"{number}.err").read_text()
        (request,) = re.findall(r"^(\d{3}) ([A-Z]+) http://[^/]+([^?\s]*)", told, re.MULTILINE)
        return cls((directory / f"{number}.out").read_text(), *request)


def read_lines(page: str) -> list[Line]:
    lines = [line for text in texts(page, "sh", TITLES[page]) for line in commands(text)]
    comments = [re.search(r"  # (\d{3}(?:, .*)?)$", line) for line in lines]
    return [
        Line(page, number, line, comment[1] if comment else "")
        for number, (line, comment) in enumerate(zip(lines, comments, strict=True))
    ]


def commands(text: str) -> Iterator[str]:
    """Split a block into commands, which end where no quote is open and no ``\\`` follows."""
    command = ""
    for line in text.splitlines():
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


LINES = {page: read_lines(page) for page in TITLES}
REQUESTS = [line for lines in LINES.values() for line in lines if line.is_request]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, api: Api) -> dict[Line, Answer]:
    found: dict[Line, Answer] = {}
    for lines in LINES.values():
        folder = tmp_path_factory.mktemp("page")
        run_lines(lines, api.url, folder)
        requests = [line for line in lines if line.is_request]
        found |= {line: Answer.read(folder, line.number) for line in requests}
    return found


def run_lines(lines: list[Line], url: str, directory: Path) -> None:
    steps = (f"{{ {line.command}\n}} >{n}.out 2>{n}.err\n" for n, line in enumerate(lines))
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
    assert result.returncode == 0, lines[last].command + (directory / f"{last}.err").read_text()


@pytest.mark.parametrize(("page", "fewest"), [("README.md", 3), ("docs/api.md", 25)])
def test_every_request_of_a_page_is_read(page: str, fewest: int) -> None:
    count = sum(line.page == page for line in REQUESTS)
    assert count == section(page, TITLES[page]).count("curl ") >= fewest


@pytest.mark.parametrize("line", REQUESTS, ids=lambda line: f"{line.page} {line.command[:60]}")
def test_a_request_gets_the_answer_in_its_comment(answers: dict[Line, Answer], line: Line) -> None:
    answer = answers[line]
    assert answer.status == line.status, answer.output
    assert line.header.lower() in answer.output.lower()  # names of headers ignore case


def test_every_endpoint_has_a_request(answers: dict[Line, Answer]) -> None:
    paths = json.loads((PROJECT / "openapi.json").read_text())["paths"]
    for template, operations in paths.items():
        path = re.compile(re.sub(r"{\w+}", "[^/]+", template))
        sent = {each.method.lower() for each in answers.values() if path.fullmatch(each.path)}
        assert operations.keys() <= sent, template
