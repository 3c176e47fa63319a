"""The packages of ``docs/licences.md`` and of ``requirements.txt``."""

from __future__ import annotations

import re

from tests.support.pages import read

_table = read("docs/licences.md").partition("|---|---|\n")[2].partition("\n\n")[0] + "\n"
# Name of the package -> its licence.
LICENCES = dict(re.findall(r"^\| ([a-z0-9-]+)(?: \([^)]*\))? \| (.*) \|$", _table, re.MULTILINE))


def requirements() -> dict[str, str]:
    """Name of each package -> its environment marker, or nothing."""
    return dict(
        re.findall(r"^([a-z0-9-]+)==\S+(?: ; (.*))? \\$", read("requirements.txt"), re.MULTILINE)
    )
