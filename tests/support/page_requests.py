"""Run the requests of a page, which get the answers in the comments behind them.

A comment is a status, and sometimes a header: ``  # 201, Idempotency-Replayed: true``. A request
without a comment gets 200.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import run

ADDRESS = "http://127.0.0.1:8000"  # of the API on the pages
# These functions copy the heads of responses into a file, so that the lines of a page run
# unchanged. HTTPie reads a body from standard input if that is no terminal.
PRELUDE = r"""
set -euo pipefail
curl() {
    command curl -sS -D head -w '%{stderr}%{method} %{url_effective}\n' "$@" 2>>sent ||
        { cat sent >&2 && return 1; }
    cat head >>heads
}
http() {
    command http --ignore-stdin --print=hb "$@" >answer
    sed '/^\r$/q' answer >>heads
    sed '1,/^\r$/d' answer
}
"""
REQUEST = re.compile(r"\b(?:curl|http) ")
COMMENT = re.compile(r"  # (\d{3}.*)$", re.MULTILINE)


def run_requests(script: str, folder: Path, url: str, environment: Mapping[str, str]) -> str:
    """Run the lines of a page against the API at ``url``, and return their output."""
    lines = PRELUDE + script.replace(ADDRESS, url)
    printed = run(["bash", "-c", lines], folder, environment)
    assert answers_in((folder / "heads").read_text()) == promises_of(script)
    return printed


def promises_of(script: str) -> list[str]:
    """Return the comment of each request."""
    found = map(COMMENT.search, REQUEST.split(script)[1:])
    return [comment[1] if comment else "200" for comment in found]


def answers_in(heads: str) -> list[str]:
    """Return the status of each response, in the form of ``promises_of``."""
    replayed = "Idempotency-Replayed: true"
    return [
        f"{head[:3]}, {replayed}" if replayed.lower() in head.lower() else head[:3]
        for head in re.split("^HTTP/1.1 ", heads, flags=re.MULTILINE)[1:]
    ]
