"""The example in docs/testing.md."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.pages import blocks, read
from tests.support.processes import PROJECT, result_of

# With these settings, the API accepts no token of the example.
FOREIGN_SETTINGS = {
    "BETTER_AUTH_URL": "https://foreign.example",
    "BETTER_AUTH_JWKS_URL": "https://foreign.example/keys",
    "BETTER_AUTH_ISSUER": "https://foreign.example",
    "BETTER_AUTH_AUDIENCE": "foreign",
    "BETTER_AUTH_ALGORITHMS": "ES384",
    "BETTER_AUTH_SECRET": "short",
    "BETTER_AUTH_ALLOW_HTTP": "true",
    "BETTER_AUTH_LEEWAY": "0",
}


@pytest.mark.live
def test_the_documented_example_works_in_any_environment(tmp_path: Path) -> None:
    """Run the example without this project's ``conftest.py``."""
    files = {block.file: block.text for block in blocks("docs/testing.md", "python")}
    for path, text in {"pytest.ini": read("pytest.ini"), **files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    result = result_of(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "greetings"],
        tmp_path,
        {"PYTHONPATH": str(PROJECT), **FOREIGN_SETTINGS},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 13 passed" in result.stdout
