"""The packages of ``docs/licences.md`` and of ``requirements.txt``."""

from __future__ import annotations

import re

from tests.support.pages import read

_table = read("docs/licences.md").partition("|---|---|\n")[2].partition("\n\n")[0] + "\n"
# Licences by the names of packages.
LICENCES = dict(re.findall(r"^\| ([a-z0-9-]+)(?: \([^)]*\))? \| (.*) \|$", _table, re.MULTILINE))


def requirements() -> dict[str, str]:
    """Map the name of each package to its environment marker, or to nothing."""
    return dict(
        re.findall(r"^([a-z0-9-]+)==\S+(?: ; (.*))? \\$", read("requirements.txt"), re.MULTILINE)
    )
