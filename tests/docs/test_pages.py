"""The form of the pages: size, line length, links and anchors."""

from __future__ import annotations

import re

import pytest

from tests.support.pages import read
from tests.support.processes import PROJECT

PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for pattern in ("*.md", "docs/*.md", "authn/README.md")
    for path in PROJECT.glob(pattern)
)
READMES = sorted(
    path.relative_to(PROJECT).as_posix()
    for pattern in ("[a-z]*/README.md", "examples/*/README.md")
    for path in PROJECT.glob(pattern)
)
CODE = re.compile(r"^```.*?^```$|^    .*?$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PYTHON_FILE = re.compile(r"`((?:[\w-]+/)+[\w-]+\.py)`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
MOST_CHARACTERS = 100
README_LINES, README_WORDS = 200, 1800

every_page = pytest.mark.parametrize("name", PAGES)


def without_code(text: str) -> str:
    """Blank code blocks, and keep the numbers of lines."""
    return CODE.sub(lambda block: "\n" * block[0].count("\n"), text)


def anchors(name: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = HEADING.findall(without_code(read(name)))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(name: str) -> list[str]:
    """The relative links of a page."""
    found = LINK.findall(without_code(read(name)))
    return [link for link in found if not re.match("https?://|mailto:", link)]


def broken_links(name: str) -> list[str]:
    broken = []
    for link in links(name):
        path, _, anchor = link.partition("#")
        target = (PROJECT / name).parent / path if path else PROJECT / name
        page = target.resolve()
        if not page.exists() or (
            anchor and anchor not in anchors(page.relative_to(PROJECT).as_posix())
        ):
            broken.append(link)
    return broken


@pytest.mark.parametrize("name", ["README.md", "authn/README.md"])
def test_a_readme_is_short(name: str) -> None:
    text = read(name)
    assert len(text.splitlines()) <= README_LINES
    assert len(text.split()) <= README_WORDS


@every_page
def test_lines_of_prose_wrap(name: str) -> None:
    """Except table rows, and words that cannot be broken, such as a long address."""
    long = [
        f"{name}:{number}: {line}"
        for number, line in enumerate(without_code(read(name)).splitlines(), start=1)
        if len(line) > MOST_CHARACTERS and " " in line.strip() and not line.startswith("|")
    ]
    assert not long


@pytest.mark.parametrize("name", sorted({*PAGES, *READMES}))
def test_relative_links_and_anchors_resolve(name: str) -> None:
    assert broken_links(name) == []


@every_page
def test_anchors_are_unique(name: str) -> None:
    headings = HEADING.findall(without_code(read(name)))
    if name != "CHANGELOG.md":  # each version has the same headings
        assert len(anchors(name)) == len(headings)


def test_the_readme_links_every_page() -> None:
    assert {*PAGES} - {"README.md"} <= {link.partition("#")[0] for link in links("README.md")}


@every_page
def test_named_python_files_exist(name: str) -> None:
    named = PYTHON_FILE.findall(without_code(read(name)))
    assert [path for path in named if not (PROJECT / path).exists()] == []
