"""What the README promises is what there is."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from api.exceptions import STATUS_PROBLEMS
from authn.exceptions import KeySetInvalid, KeysUnavailable, NotConfigured, TokenRejected


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
    "code",
    [
        *(reason.code for reason in TokenRejected.__subclasses__()),
        KeysUnavailable.code,
        *(code for code, _ in STATUS_PROBLEMS.values()),
    ],
)
def test_every_code_is_in_the_readme(code: str) -> None:
    assert f"`{code}`" in read("README.md")


def test_what_never_reaches_a_client_is_not() -> None:
    for code in (KeySetInvalid.code, NotConfigured.code):
        assert code not in read("README.md")
