"""What the README promises is what there is."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from django.conf import settings

from api.errors.exceptions import NotReady
from api.errors.schema import problem_codes
from authn.exceptions import KeySetInvalid, NotConfigured


def read(name: str) -> str:
    return str((settings.BASE_DIR / name).read_text())


def variables_read() -> set[str]:
    return set(re.findall(r'\b[a-z_]+\("([A-Z_]{4,})"', read("config/settings.py")))


def test_every_variable_is_in_the_table_of_settings() -> None:
    table = read("README.md").partition("## Settings")[2].partition("\n## ")[0]
    first_column = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert set(re.findall("[A-Z_]{4,}", " ".join(first_column))) == variables_read()


def test_every_variable_is_in_the_example_of_an_env_file() -> None:
    assert set(re.findall(r"^# ([A-Z_]+)=", read(".env.example"), re.MULTILINE)) == variables_read()


def test_every_variable_is_fixed_while_linting() -> None:
    fixed = set(re.findall(r"^lint: export ([A-Z_]+) :=", read("Makefile"), re.MULTILINE))
    assert fixed == variables_read() - {"HOST", "PORT"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((status, code) for status, codes in problem_codes().items() for code in codes),
        (NotReady.status_code, NotReady.default_code),
    ],
)
def test_every_failure_is_in_the_table(status: int, code: str) -> None:
    rows = read("README.md").partition("### Failures")[2].partition("\n## ")[0].splitlines()
    reasons = read("README.md").partition("### My token gets 401")[2].partition("\n## ")[0]
    assert any(f"| {status}" in row and f"`{code}`" in row for row in rows) or (
        status == HTTPStatus.UNAUTHORIZED and f"\n| `{code}` |" in reasons
    )


def test_what_never_reaches_a_client_is_not() -> None:
    for code in (KeySetInvalid.code, NotConfigured.code):
        assert code not in read("README.md")
