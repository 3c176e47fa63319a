from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.dotenv import read_dotenv

LINES = {
    "A=b": "b",
    "A=": "",
    "A= b ": "b",
    "A =b": "b",
    "  A = b": "b",
    "\tA=b": "b",
    "export A=b": "b",
    "A=# at least 32 bytes": "",
    "A=b # comment": "b",
    "A=b#c": "b",
    "A='b # c' # d": "b # c",
    'A="b # c" # d': "b # c",
    "A=`b # c`": "b # c",
    "A='b": "'b",
    'A="b\\nc"': "b\nc",
    "A='b\\nc'": "b\\nc",
    "A=$HOME": "$HOME",
    "A=b=c": "b=c",
    "A=b\r": "b",
    "\ufeffA=b": "b",
    "# A=c\n\nA=b": "b",
    "A=c\nA=b": "b",
    "A='b\nc'": "b\nc",
}


def write(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(("line", "value"), LINES.items(), ids=map(repr, LINES))
def test_a_line_means_what_it_means_to_the_front_end(tmp_path: Path, line: str, value: str) -> None:
    assert read_dotenv(write(tmp_path, line)) == {"A": value}
    assert read_dotenv(write(tmp_path, f"{line}\nB=d\n")) == {"A": value, "B": "d"}


@pytest.mark.interop
@pytest.mark.parametrize("line", [line for line in LINES if line[0] not in "\t\ufeff"], ids=repr)
def test_node_reads_the_same(tmp_path: Path, line: str) -> None:
    """But for a tab or a byte order mark in front, which only the npm package takes."""
    path = write(tmp_path, f"{line}\n")
    node = shutil.which("node") or pytest.fail("Node is missing.")
    result = subprocess.run(
        [node, f"--env-file={path}", "-p", "JSON.stringify(process.env)"],
        env={},
        capture_output=True,
        check=True,
    )
    assert json.loads(result.stdout) == read_dotenv(path)


@pytest.mark.parametrize("line", ["hunter2", "A b=hunter2", "=hunter2", "A: hunter2"])
def test_a_line_that_sets_nothing_is_named_but_not_shown(tmp_path: Path, line: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"Line 3 of .* is not NAME=value") as caught:
        read_dotenv(write(tmp_path, f"A=b\n\n{line}\n"))
    assert "hunter2" not in str(caught.value)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xe4")
    with pytest.raises(ImproperlyConfigured, match="not in UTF-8"):
        read_dotenv(tmp_path / ".env")


def test_no_file_sets_nothing(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path / ".env") == {}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read \(Is a directory\)"):
        read_dotenv(tmp_path)
