"""``manage.py test``: the runner that pytest-django documents, with ``-k``."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import pytest


class PytestRunner:
    def __init__(
        self, *, verbosity: int = 1, failfast: bool = False, k: str = "", **options: Any
    ) -> None:
        self.verbosity, self.failfast, self.k = verbosity, failfast, k

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        parser.add_argument("-k", default="", metavar="EXPRESSION", help="Select like pytest's -k.")
        parser.add_argument("--failfast", action="store_true", help="Stop at the first failure.")

    def run_tests(self, test_labels: Sequence[str]) -> int:
        """Return pytest's exit status, which Django takes for the number of failures."""
        arguments = ["--pyargs", f"--verbosity={self.verbosity - 1}", *test_labels]
        if self.failfast:
            arguments.append("--exitfirst")
        if self.k:
            arguments += ["-k", self.k]
        if not (test_labels or self.k):
            arguments.append("--numprocesses=auto")  # starts too slowly for a part of the suite
        return pytest.main(arguments)
