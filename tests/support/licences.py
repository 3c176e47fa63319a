"""``docs/licences.md`` and ``requirements.txt`` as tests read them."""

from __future__ import annotations

import re

from tests.support.processes import PROJECT

_page = (PROJECT / "docs" / "licences.md").read_text()
_table = _page.partition("|---|---|\n")[2].partition("\n\n")[0] + "\n"
# By the name of the package.
LICENCES = dict(re.findall(r"^\| ([a-z0-9-]+)(?: \([^)]*\))? \| (.*) \|$", _table, re.MULTILINE))


def requirements() -> dict[str, str]:
    """On what installing each of them depends: an environment marker, or nothing."""
    text = (PROJECT / "requirements.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==\S+(?: ; (.*))? \\$", text, re.MULTILINE))
