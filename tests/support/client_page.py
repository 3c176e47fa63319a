"""The blocks of ``docs/clients.md``."""

from __future__ import annotations

from tests.support.pages import blocks

BLOCKS = blocks("docs/clients.md")
SHELL = [block for block in BLOCKS if block.language == "sh"]
PYTHON = [block for block in BLOCKS if block.language == "python"]
BROWSER = [block for block in BLOCKS if block.language in {"ts", "tsx"}]


def shell_of(*titles: str) -> str:
    """Return the first block, which all others need, and the lines under these headings."""
    return "".join(block.text for block in SHELL if block.title in {SHELL[0].title, *titles})


def generating(tool: str) -> str:
    """Return the line that generates a client with ``tool``."""
    lines = shell_of("A generated client").splitlines()
    (line,) = (line for line in lines if tool in line.split()[:2])
    return line
