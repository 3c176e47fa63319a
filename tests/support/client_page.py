"""``docs/client.md`` as its tests read it: the blocks, and what is written behind the requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.processes import PROJECT

ADDRESS = "http://127.0.0.1:8000"  # of the API, on the page
PAGE = (PROJECT / "docs" / "client.md").read_text()

# What a reader sees stays as it is: the heads of the answers are kept in a file. HTTPie would
# wait for a body on standard input where that is no terminal.
KEEP_HEADS = r"""
set -euo pipefail
curl() { command curl -sS -D head "$@" && cat head >>heads; }
http() {
    command http --ignore-stdin --print=hb "$@" >answer
    sed '/^\r$/q' answer >>heads
    sed '1,/^\r$/d' answer
}
"""


@dataclass(frozen=True, slots=True)
class Block:
    """``title`` is that of the heading it is under, ``file`` what its first line calls it."""

    title: str
    language: str
    text: str

    @property
    def file(self) -> str:
        named = re.match(r"(?://|#) ([\w./-]+\.[a-z]+)\b", self.text)
        return named[1] if named else ""


def read_blocks() -> Iterator[Block]:
    title = ""
    for heading, language, text in re.findall(
        r"^#+ (.*)$|^```(\w*)\n(?s:(.*?))^```$", PAGE, re.MULTILINE
    ):
        title = heading or title
        if not heading:
            yield Block(title, language, text)


BLOCKS = [*read_blocks()]
SHELL = [block for block in BLOCKS if block.language == "sh"]
PYTHON = [block for block in BLOCKS if block.language == "python"]
BROWSER = [block for block in BLOCKS if block.language in {"ts", "tsx"}]
REQUEST = re.compile(r"\b(?:curl|http) ")


def shell_of(*titles: str) -> str:
    """What is under these headings, after the first block, which all of them need."""
    return "".join(block.text for block in SHELL if block.title in {SHELL[0].title, *titles})


def generating(tool: str) -> str:
    """The line that makes a client with a generator."""
    lines = shell_of("A generated client").splitlines()
    (line,) = (line for line in lines if tool in line.split()[:2])
    return line


def promises_of(script: str) -> list[str]:
    """What is written behind each request: its status, and maybe a field of its head."""
    lines = script.replace("\\\n", " ").splitlines()
    requests = [line for line in lines if REQUEST.search(line)]
    return [re.split("  # ", line)[1] if "  # " in line else "200" for line in requests]


def answers_in(heads: str) -> list[str]:
    """The status of each answer, and whether it is one that was given before."""
    replayed = "Idempotency-Replayed: true"
    return [
        f"{head[:3]}, {replayed}" if replayed.lower() in head.lower() else head[:3]
        for head in re.split("^HTTP/1.1 ", heads, flags=re.MULTILINE)[1:]
    ]
