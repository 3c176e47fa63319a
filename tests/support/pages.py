"""The pages of the documentation: their sections and code blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.support.processes import PROJECT

HEADING_OR_BLOCK = re.compile(r"^(#+) (.*)$|^```(\w*)\n((?s:.*?))^```$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A code block, and the text of the heading above it without its backticks."""

    title: str
    language: str
    text: str

    @property
    def file(self) -> str:
        """Return the path in a comment on the first line, such as ``# todos.py``."""
        named = re.match(r"(?://|#) ([\w./-]+\.[a-z]+)\b", self.text)
        return named[1] if named else ""


def read(name: str) -> str:
    """The text of a page, such as ``docs/api.md``."""
    return (PROJECT / name).read_text()


def blocks(name: str, *languages: str) -> list[Block]:
    """The code blocks of a page in these languages, or in all of them."""
    found, title = [], ""
    for _, heading, language, text in HEADING_OR_BLOCK.findall(read(name)):
        title = heading.replace("`", "") or title
        if not heading and language in (languages or (language,)):
            found.append(Block(title, language, text))
    return found


def texts(name: str, language: str, title: str = "") -> list[str]:
    """The code in one language, on a whole page or under one heading."""
    return [block.text for block in blocks(name, language) if title in ("", block.title)]


def section(name: str, title: str) -> str:
    """The text below a heading, down to the next heading of the same or a higher level."""
    text, level, start = read(name), 0, 0
    for match in HEADING_OR_BLOCK.finditer(text):
        if level and match[1] and len(match[1]) <= level:
            return text[start : match.start()]
        if match[2] == title and not level:
            level, start = len(match[1]), match.end()
    assert level, f"{name} has no heading {title!r}"
    return text[start:]


def first_cells(table: str) -> list[str]:
    """The first cell of every row below the headings of a Markdown table."""
    return re.findall(r"^\| (.*?) \|", table.partition("|---|")[2], re.MULTILINE)
