from __future__ import annotations

import re

from tests.support.apps import rooms
from tests.support.processes import PROJECT

OF_A_TEST = re.compile(r"^\s*(?:from|import) .*\btest_\w+", re.MULTILINE)


def test_no_module_imports_a_test_module() -> None:
    """Shared code belongs to a support or language module."""
    modules = [path for room in (*rooms(), "tests") for path in (PROJECT / room).rglob("*.py")]
    assert len(modules) > 100
    assert [path.name for path in modules if OF_A_TEST.search(path.read_text())] == []
