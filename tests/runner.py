"""``manage.py test`` runs pytest, so that there is one suite and one way to run it."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any


class PytestRunner:
    """Passes labels, ``-k``, ``-v`` and ``--failfast`` on to pytest.

    Runs it as a process of its own, whose settings do not read a developer's ``.env``.
    """

    def __init__(
        self, *, verbosity: int = 1, failfast: bool = False, k: str = "", **options: Any
    ) -> None:
        self._arguments = ["--pyargs", f"--verbosity={verbosity - 1}"]
        self._selects = bool(k)
        if failfast:
            self._arguments.append("--exitfirst")
        if k:
            self._arguments += ["-k", k]

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        parser.add_argument("-k", default="", metavar="EXPRESSION", help="As pytest's -k.")
        parser.add_argument("--failfast", action="store_true", help="Stop at the first failure.")

    def run_tests(self, test_labels: Sequence[str]) -> int:
        """The number of failures, as Django wants it: here pytest's exit status."""
        command = [sys.executable, "-m", "pytest", *self._arguments, *test_labels]
        if not (test_labels or self._selects):
            command.append("--numprocesses=auto")  # a part is done before these have started
        return subprocess.run(command, check=False).returncode
