"""System checks and commands in a new project."""

from __future__ import annotations

from typing import Any

import pytest

from authn.testing import SECRET
from tests.package.projects import Project

pytestmark = pytest.mark.package


def test_a_right_configuration_passes_the_checks(project: Project) -> None:
    project.configure("authn", BETTER_AUTH_URL="https://app.example.com")
    assert project.manage("check").returncode == 0


def test_a_project_without_any_setting_is_told_which_to_set(project: Project) -> None:
    project.configure("authn")
    result = project.manage("check")
    assert result.returncode == 1
    assert "BETTER_AUTH_URL" in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BETTER_AUTH_URL", ["https://app.example.com"]),
        ("BETTER_AUTH_AUDIENCE", "https://app.example.com"),
        ("BETTER_AUTH_ALGORITHMS", "EdDSA"),
        ("BETTER_AUTH_LEEWAY", "30"),
        ("BETTER_AUTH_ALLOW_HTTP", "false"),
        ("BETTER_AUTH_SECRET", b"the secret of thirty-two bytes, or more"),
        ("BETTER_AUTH_USER_RESOLVER", "mysite.missing.user_of"),
    ],
)
def test_a_check_names_a_setting_of_a_wrong_type(project: Project, name: str, value: Any) -> None:
    project.configure("authn", **{"BETTER_AUTH_URL": "https://app.example.com", name: value})
    result = project.manage("check")
    assert result.returncode == 1, result.stdout
    assert name in result.stderr


def test_a_minted_token_can_be_inspected(project: Project) -> None:
    project.configure("authn", BETTER_AUTH_SECRET=SECRET)
    token = project.manage("mint_token", "ada", "--expires", "1h").stdout
    assert '"sub": "ada"' in project.manage("inspect_token", stdin=f"Bearer {token}").stdout
    refused = project.manage("inspect_token", stdin=token.replace(".", "", 1))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "token_malformed" in refused.stderr
