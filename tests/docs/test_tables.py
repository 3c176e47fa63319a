"""The tables of the pages list what the code has."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from rest_framework.exceptions import MethodNotAllowed

from api.errors.exceptions import NotReady
from api.errors.schema import problems
from authn.exceptions import KeySetInvalid, KeysUnavailable, NotConfigured, TokenRejected
from authn.settings import DEFAULTS
from authn.version import VERSION
from tests.support.pages import blocks, first_cells, read, section, texts
from tests.support.processes import PROJECT
from todos.serializers import TodoSerializer

SETTINGS = "docs/settings.md"
API = "docs/api.md"
PACKAGE = "authn/README.md"
VARIABLE = "[A-Z_]{4,}"


def variables_read() -> set[str]:
    sources = read("config/settings.py") + read("config/env.py")
    return set(re.findall(rf'\b[a-z_]+\("({VARIABLE})"', sources))


def test_every_variable_is_in_the_table_of_settings() -> None:
    rows = " ".join(first_cells(section(SETTINGS, "Settings")))
    assert sorted(re.findall(rf"`({VARIABLE})`", rows)) == sorted(variables_read())


def test_every_variable_has_a_heading() -> None:
    headings = re.findall(rf"^### `({VARIABLE})`$", read(SETTINGS), re.MULTILINE)
    assert sorted(headings) == sorted(variables_read())


def test_the_readme_shows_eight_variables() -> None:
    rows = re.findall(VARIABLE, " ".join(first_cells(section("README.md", "Settings"))))
    assert len(rows) == 8
    assert {*rows} <= variables_read()


def test_every_variable_is_in_the_example_of_an_env_file() -> None:
    shown = set(re.findall(r"^# ([A-Z_]+)=", read(".env.example"), re.MULTILINE))
    assert shown == variables_read() - {"ENV_FILE"}


def test_every_setting_of_the_package_is_in_its_table_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \|", section(PACKAGE, "Settings"), re.MULTILINE)
    shown = [(name, ast.literal_eval(default)) for name, default in rows]
    assert sorted(shown) == sorted(DEFAULTS.items())


def test_every_reason_of_the_package_is_in_its_table() -> None:
    rows = " ".join(first_cells(section(PACKAGE, "Refusals")))
    codes = {reason.code for reason in subclasses(TokenRejected)} | {KeysUnavailable.code}
    assert sorted(re.findall("`([a-z_]+)`", rows)) == sorted(codes)


def subclasses(parent: type[TokenRejected]) -> Iterator[type[TokenRejected]]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_check_on_the_page_of_the_package_exists() -> None:
    code = read("authn/checks.py") + read("authn/mistakes.py")
    named = re.findall(r"`(authn\.[EW]\d+)`", read(PACKAGE))
    assert len(named) >= 7
    assert [each for each in named if each not in code] == []


def test_every_field_of_a_todo_is_in_the_table() -> None:
    fields = re.findall("`([a-z_]+)`", " ".join(first_cells(section(API, "The todo"))))
    assert sorted(fields) == sorted(TodoSerializer().fields)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((status, code) for status, errors in problems().items() for code in errors),
        (MethodNotAllowed.status_code, MethodNotAllowed.default_code),
        (NotReady.status_code, NotReady.default_code),
    ],
)
def test_every_failure_is_in_a_table(status: int, code: str) -> None:
    if status == HTTPStatus.UNAUTHORIZED:
        reasons = section("docs/authentication.md", "Reasons for a 401")
        assert f"`{code}`" in first_cells(reasons)
    else:
        rows = section(API, "Failures").splitlines()
        assert any(f"| {status}" in row and f"`{code}`" in row for row in rows)


def test_the_readme_shows_five_reasons_for_a_401() -> None:
    rows = first_cells(section("README.md", "My token gets 401: why?"))
    assert len(rows) == 5
    assert {row.strip("`") for row in rows} <= problems()[HTTPStatus.UNAUTHORIZED].keys()


@pytest.mark.parametrize("code", [KeySetInvalid.code, NotConfigured.code])
@pytest.mark.parametrize("name", ["README.md", API, PACKAGE, "docs/authentication.md"])
def test_codes_that_no_client_sees_are_not_documented(name: str, code: str) -> None:
    assert code not in read(name)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_names_in_the_way_of_a_request_resolve(name: str) -> None:
    (way,) = (block.text for block in blocks(name, "") if "Authorization: Bearer" in block.text)
    names = re.findall(r"\b(?:authn|api|config|server|todos)(?:\.\w+)+", way)
    assert len(names) >= 5
    for each in names:
        assert pkgutil.resolve_name(each)


def test_the_newest_chapter_of_the_changelog_names_the_version() -> None:
    newest = re.search(r"^## (\S+) - ", read("CHANGELOG.md"), re.MULTILINE)
    assert newest
    assert newest[1] == VERSION


def test_names_on_the_page_about_a_new_resource_are_in_the_code() -> None:
    page = "docs/new-resource.md"
    named = {*re.findall(r"`([A-Za-z]+(?:_[a-z]+|[a-z][A-Z]\w*))(?:\(\))?`", read(page))}
    files = [file.read_text() for app in ("api", "todos") for file in app_files(app)]
    code = "".join([*files, *texts(page, "python")])
    assert len(named) >= 10
    assert {each for each in named if not re.search(rf"\b{each}\b", code)} == set()


def app_files(app: str) -> list[Path]:
    files = (PROJECT / app).rglob("*.py")
    return [file for file in files if "tests" not in file.relative_to(PROJECT).parts]
