"""The blocks of ``docs/clients.md``, and the responses that their comments promise."""

from __future__ import annotations

import re

from tests.support.pages import blocks

ADDRESS = "http://127.0.0.1:8000"  # of the API on the page

# These functions copy the heads of responses into a file, so that the lines of the page run
# unchanged. HTTPie reads a body from standard input if that is no terminal.
KEEP_HEADS = r"""
set -euo pipefail
curl() { command curl -sS -D head "$@" && cat head >>heads; }
http() {
    command http --ignore-stdin --print=hb "$@" >answer
    sed '/^\r$/q' answer >>heads
    sed '1,/^\r$/d' answer
}
"""

BLOCKS = blocks("docs/clients.md")
SHELL = [block for block in BLOCKS if block.language == "sh"]
PYTHON = [block for block in BLOCKS if block.language == "python"]
BROWSER = [block for block in BLOCKS if block.language in {"ts", "tsx"}]
REQUEST = re.compile(r"\b(?:curl|http) ")


def shell_of(*titles: str) -> str:
    """Return the first block, which all others need, and the lines under these headings."""
    return "".join(block.text for block in SHELL if block.title in {SHELL[0].title, *titles})


def generating(tool: str) -> str:
    """Return the line that generates a client with ``tool``."""
    lines = shell_of("A generated client").splitlines()
    (line,) = (line for line in lines if tool in line.split()[:2])
    return line


def promises_of(script: str) -> list[str]:
    """Return the comment behind each request: a status, and sometimes a header."""
    lines = script.replace("\\\n", " ").splitlines()
    requests = [line for line in lines if REQUEST.search(line)]
    return [re.split("  # ", line)[1] if "  # " in line else "200" for line in requests]


def answers_in(heads: str) -> list[str]:
    """Return the status of each response, in the form of ``promises_of``."""
    replayed = "Idempotency-Replayed: true"
    return [
        f"{head[:3]}, {replayed}" if replayed.lower() in head.lower() else head[:3]
        for head in re.split("^HTTP/1.1 ", heads, flags=re.MULTILINE)[1:]
    ]
