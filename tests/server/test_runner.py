from __future__ import annotations

import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import conftest
from tests.runner import PytestRunner
from tests.support.processes import PROJECT, result_of

NOT_NEEDED = shutil.ignore_patterns(".*", "node_modules", "screenshots", "results", "__pycache__")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Collect the arguments of each pytest that would have run, and failed."""
    seen: list[list[str]] = []

    def main(arguments: list[str]) -> pytest.ExitCode:
        seen.append(arguments)
        return pytest.ExitCode.TESTS_FAILED

    monkeypatch.setattr("tests.runner.pytest.main", main)
    return seen


@pytest.mark.parametrize(
    ("labels", "options", "arguments"),
    [
        ([], {}, ["--verbosity=0", "--numprocesses=auto"]),
        (["authn", "a.py::test_b"], {}, ["--verbosity=0", "authn", "a.py::test_b"]),
        ([], {"k": "title or me"}, ["--verbosity=0", "-k", "title or me"]),
        (["todos"], {"failfast": True}, ["--verbosity=0", "todos", "--exitfirst"]),
        (["todos"], {"verbosity": 0}, ["--verbosity=-1", "todos"]),
        (["todos"], {"verbosity": 3}, ["--verbosity=2", "todos"]),
        (["todos"], {"interactive": False, "debug_mode": False}, ["--verbosity=0", "todos"]),
    ],
)
def test_options_of_manage_py_test_become_those_of_pytest(
    run: list[list[str]], labels: list[str], options: dict[str, Any], arguments: list[str]
) -> None:
    assert PytestRunner(**options).run_tests(labels) == pytest.ExitCode.TESTS_FAILED
    assert run == [["--pyargs", *arguments]]


def test_k_is_an_option_of_the_command() -> None:
    parser = ArgumentParser()
    PytestRunner.add_arguments(parser)
    assert parser.parse_args(["-k", "me"]).k == "me"


class TestParametersOfSets:
    """Their order differs between processes, so that pytest-xdist would run nothing."""

    def generate(self, *arguments: Any, **options: Any) -> None:
        marker = pytest.mark.parametrize(*arguments, **options).mark
        definition = SimpleNamespace(nodeid="test_it", iter_markers=lambda name: [marker])
        conftest.pytest_generate_tests(cast("Any", SimpleNamespace(definition=definition)))

    @pytest.mark.parametrize(
        ("values", "options"),
        [
            (lambda: {"a", "b"}, {}),
            (lambda: frozenset("ab"), {}),
            (lambda: [("a", {"b", "c"})], {"ids": repr}),
            (lambda: [pytest.param("a", {"b"})], {"ids": repr}),
            (lambda: [{"a": [frozenset("bc")]}], {"ids": str}),
        ],
    )
    def test_sets_are_refused(self, values: Callable[[], Any], options: dict[str, Any]) -> None:
        with pytest.raises(pytest.UsageError, match="test_it takes its parameters from a set"):
            self.generate("value", values(), **options)

    @pytest.mark.parametrize(
        ("values", "options"),
        [
            (lambda: ["a", "b"], {"ids": repr}),
            (lambda: {"a": 1}.items(), {"ids": repr}),
            (lambda: [("a", {"b", "c"})], {}),
        ],
    )
    def test_lists_are_taken(self, values: Callable[[], Any], options: dict[str, Any]) -> None:
        self.generate("value", values(), **options)


@pytest.mark.live
class TestForReal:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        for name in ("manage.py", "pytest.ini"):
            shutil.copy(PROJECT / name, tmp_path)
        for package in PROJECT.glob("*/__init__.py"):
            name = package.parent.name
            shutil.copytree(package.parent, tmp_path / name, ignore=shutil.ignore_patterns("tests"))
        (tmp_path / ".env").write_text("BETTER_AUTH_LEEWAY=7\n")
        # pytest.ini asks for a fixture of this plug-in.
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["authn.testing.fixtures"]\n')
        (tmp_path / "test_two.py").write_text(
            "from django.conf import settings\n"
            "def test_good(): assert settings.BETTER_AUTH_LEEWAY == 30\n"
            "def test_bad(): assert False\n"
        )
        return tmp_path

    def manage(self, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Neither ENV_FILE nor anything else of this run of the suite.
        return result_of(["env", "-i", sys.executable, "manage.py", "test", *arguments], project)

    def test_success_without_the_env_file_of_a_developer(self, project: Path) -> None:
        finished = self.manage(project, "test_two.py", "-k", "good", "-v", "2")
        assert "test_two.py::test_good PASSED" in finished.stdout
        assert "1 passed, 1 deselected" in finished.stdout
        assert finished.returncode == 0

    def test_failure(self, project: Path) -> None:
        finished = self.manage(project, "test_two.py::test_bad", "--failfast")
        assert "1 failed" in finished.stdout
        assert finished.returncode == 1


FACTORIES = "todos/tests/factories.py"
UNFIT = f"TodoFactory ({FACTORIES}) does not fit Todo: "


@pytest.mark.live
@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            FACTORIES,
            "    class Meta:",
            "    del title\n\n    class Meta:",
            UNFIT + "{'title': ['This field cannot be blank.']}",
        ),
        (
            FACTORIES,
            "    class Meta:",
            "    colour = 'red'\n\n    class Meta:",
            UNFIT + "Todo() got unexpected keyword arguments: 'colour'",
        ),
        (
            FACTORIES,
            "        model = Todo",
            "        abstract = True",
            f"Todo has no factory: write a DjangoModelFactory in {FACTORIES}.",
        ),
        (
            "todos/serializers.py",
            "    example = {",
            "    sample = {",
            "TodoSerializer has no example: set it to the body of a create request.",
        ),
    ],
    ids=["missing field", "unknown field", "missing factory", "missing example"],
)
def test_what_a_resource_lacks_for_its_tests_is_one_sentence(
    tmp_path: Path, file: str, old: str, new: str, sentence: str
) -> None:
    shutil.copytree(PROJECT, tmp_path / "project", ignore=NOT_NEEDED)
    changed = tmp_path / "project" / file
    text = changed.read_text()
    assert text.count(old) == 1
    changed.write_text(text.replace(old, new))
    command = [sys.executable, "-m", "pytest", "--numprocesses=2", "todos/tests/test_list.py"]
    result = result_of(command, tmp_path / "project")
    output = result.stdout + result.stderr
    assert result.returncode == pytest.ExitCode.USAGE_ERROR, output
    assert output.count(sentence) == 1
    assert "FAILED" not in output
