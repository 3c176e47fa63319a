from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from config.env import ENVIRONMENT, environment_of, read_env_file

LINES = {
    "A=b": "b",
    "A=": "",
    "A= b ": "b",
    "A =b": "b",
    "  A = b": "b",
    "\tA=b": "b",
    "export A=b": "b",
    "A= # at least 32 bytes": "",
    "A=b # comment": "b",
    "A='b # c' # d": "b # c",
    'A="b # c"#d': "b # c",
    'A="b\\nc"': "b\nc",
    "A='b\\nc'": "b\\nc",
    "A='b\"c'": 'b"c',
    "A=$HOME": "$HOME",
    "A=b=c": "b=c",
    "A=b'c": "b'c",
    "A=b\r": "b",
    "\ufeffA=b": "b",
    "# A=c#d\n\nA=b": "b",
    "A=c\nA=b": "b",
    "A='b\nc'": "b\nc",
}
READ_DIFFERENTLY = [
    "A=hunter#2",
    "A=#hunter2",
    "A=hunter#2 # comment",
    "A=`hunter2`",
    r"A='hunter\\2'",
    r"A='hunter\'2'",
    r'A="hunter\\2"',
    r'A="hunter\"2"',
    r'A="hunter\t2"',
    "A= 'hunter\\'2'",
]
NOT_A_SETTING = ["hunter2", "A b=hunter2", "=hunter2", "A: hunter2", "A='hunter2", "A='hunter'2"]


def write(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_bytes(text.encode())
    return path


def read_by_node(path: Path) -> dict[str, str]:
    node = shutil.which("node") or pytest.fail("Node is missing.")
    result = subprocess.run(
        [node, f"--env-file={path}", "-p", "JSON.stringify(process.env)"],
        env={},
        capture_output=True,
        check=True,
    )
    values: dict[str, str] = json.loads(result.stdout)
    return values


@pytest.mark.parametrize(("line", "value"), LINES.items(), ids=map(repr, LINES))
def test_a_line_sets_its_value_alone_and_before_others(
    tmp_path: Path, line: str, value: str
) -> None:
    assert read_env_file(write(tmp_path, line)) == {"A": value}
    assert read_env_file(write(tmp_path, f"{line}\nB=d\n")) == {"A": value, "B": "d"}


@pytest.mark.interop
@pytest.mark.parametrize("line", [line for line in LINES if line[0] not in "\t\ufeff"], ids=repr)
def test_node_reads_the_same_value(tmp_path: Path, line: str) -> None:
    """Only the npm package dotenv accepts a tab or a byte order mark at the start."""
    path = write(tmp_path, f"{line}\n")
    assert read_by_node(path) == read_env_file(path)


@pytest.mark.parametrize("line", READ_DIFFERENTLY)
def test_a_value_that_other_tools_read_differently_is_refused_unseen(
    tmp_path: Path, line: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^Line 3 of .* other tools") as caught:
        read_env_file(write(tmp_path, f"A=b\n\n{line}\n"))
    assert "hunter" not in str(caught.value)


@pytest.mark.interop
@pytest.mark.parametrize("line", READ_DIFFERENTLY)
def test_node_reads_a_refused_value_differently(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"{line}\n")
    assert read_by_node(path)["A"] != dotenv_values(path, interpolate=False)["A"]


@pytest.mark.parametrize("line", NOT_A_SETTING)
def test_a_line_that_sets_nothing_is_refused_unseen(tmp_path: Path, line: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^Line 3 of .* is not NAME=value") as caught:
        read_env_file(write(tmp_path, f"A=b\n\n{line}\n"))
    assert "hunter" not in str(caught.value)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xe4")
    with pytest.raises(ImproperlyConfigured, match="not in UTF-8"):
        read_env_file(tmp_path / ".env")


class TestEnvFile:
    def test_the_environment_overrides_the_named_file(self, tmp_path: Path) -> None:
        named = {"ENV_FILE": str(write(tmp_path, "A=b"))}
        assert environment_of(named)["A"] == "b"
        assert environment_of({**named, "A": "c"})["A"] == "c"

    def test_the_default_is_a_file_beside_manage_py_which_may_be_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("config.env.BASE_DIR", tmp_path)
        assert environment_of({}) == {}
        write(tmp_path, "A=b")
        assert environment_of({}) == {"A": "b"}
        assert environment_of({"ENV_FILE": ""}) == {"ENV_FILE": ""}

    @pytest.mark.parametrize(
        ("name", "reason"), [("missing", "No such file or directory"), ("", "Is a directory")]
    )
    def test_a_named_file_that_cannot_be_read_is_refused(
        self, tmp_path: Path, name: str, reason: str
    ) -> None:
        error = rf"^ENV_FILE .* cannot be read \({reason}\)"
        with pytest.raises(ImproperlyConfigured, match=error):
            environment_of({"ENV_FILE": str(tmp_path / name)})


def test_the_suite_reads_no_file() -> None:
    assert ENVIRONMENT["ENV_FILE"] == ""
