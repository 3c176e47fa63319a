"""Write tables and charts to results/."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.installed import BENCHMARKS, PROJECT, install_python_peers, venv_program
from benchmarks.rounds import Plan

RESULTS = BENCHMARKS / "results"


@dataclass(frozen=True, slots=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        rule = ["---", *["---:"] * (len(self.head) - 1)]
        return "\n".join(f"| {' | '.join(row)} |" for row in [self.head, rule, *self.rows])


@dataclass(frozen=True, slots=True)
class Chart:
    """Each group has a bar for each name. ``limit`` is a line across all groups."""

    title: str
    groups: Sequence[str]
    bars: Mapping[str, Sequence[float | None]]
    limit: float | None = None


def write(
    name: str,
    facts: Mapping[str, str],
    plan: Plan,
    tables: Sequence[Table],
    chart: Chart | None = None,
) -> None:
    text = "\n\n".join([*map(str, tables), f"{plan}.".capitalize(), _listed(facts)])
    print(f"\n{text}\n")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(f"{text}\n")
    if chart:
        _draw(chart, RESULTS / f"{name}.svg")
    print(f"Written to {RESULTS.relative_to(PROJECT)}/")


def _draw(chart: Chart, path: Path) -> None:
    install_python_peers()  # which include matplotlib
    command = [venv_program("python"), str(BENCHMARKS / "plot.py"), str(path)]
    subprocess.run(command, input=json.dumps(asdict(chart)), text=True, check=True)


def _listed(facts: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())
