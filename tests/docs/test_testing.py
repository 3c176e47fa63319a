"""The example in docs/testing.md."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.pages import blocks
from tests.support.processes import PROJECT, result_of, run

# With these settings, the project accepts no token of the example.
FOREIGN_SETTINGS = """
BETTER_AUTH_URL = "https://foreign.example"
BETTER_AUTH_JWKS_URL = "https://foreign.example/keys"
BETTER_AUTH_ISSUER = "https://foreign.example"
BETTER_AUTH_AUDIENCE = ["foreign"]
BETTER_AUTH_ALGORITHMS = ["ES384"]
BETTER_AUTH_SECRET = "short"
BETTER_AUTH_ALLOW_HTTP = True
BETTER_AUTH_LEEWAY = 0
OAUTH_RESOURCE = "https://api.example.com"
"""


@pytest.mark.live
def test_the_documented_example_works_in_the_project_of_the_first_steps(tmp_path: Path) -> None:
    run([sys.executable, "-m", "django", "startproject", "mysite", "."], tmp_path, {})
    first_steps = [b for b in blocks("authn/README.md", "python") if b.title == "First request"]
    for block in [*first_steps, *blocks("docs/testing.md", "ini", "python")]:
        path = tmp_path / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if block.file == "mysite/settings.py" else "w") as file:
            file.write(block.text)
    with (tmp_path / "mysite" / "settings.py").open("a") as settings:
        settings.write(FOREIGN_SETTINGS)
    result = result_of(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "greetings"],
        tmp_path,
        {"PYTHONPATH": str(PROJECT)},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 13 passed" in result.stdout
