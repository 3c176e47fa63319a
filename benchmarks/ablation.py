"""``ablation``: the worth of each re-made piece, measured by serving without it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.checks import check
from benchmarks.facts import facts
from benchmarks.operations import LIST, OPERATIONS, turn
from benchmarks.pieces import PIECES
from benchmarks.results import Table, write
from benchmarks.rounds import Plan, Rounds, interleaved
from benchmarks.subjects import Ours
from benchmarks.targets import SMALL, Target, bench, seeded, started

CONNECTIONS = 32
WHOLE = "whole"
MALLOPT = "mallopt"
MEMORY_SECONDS = 10

Measured = dict[tuple[str, str], Rounds]


class Without(Ours):
    def __init__(self, piece: str) -> None:
        super().__init__(ABLATION=piece)

    def command(self, port: int) -> list[str]:
        return [sys.executable, "-m", "benchmarks.ablated"]


def measure_ablation(plan: Plan, *, pieces: Sequence[str]) -> None:
    with bench() as place, ExitStack() as running:
        whole = running.enter_context(seeded(Ours(), place, [SMALL], name=WHOLE))
        targets = {WHOLE: whole}
        for piece in pieces:
            print(f"Starting without {piece}", flush=True)
            one = started(Without(piece), place, whole.database, piece)
            targets[piece] = running.enter_context(one)
            check(targets[piece], SMALL)
        measured: Measured = {}
        for name, operation in OPERATIONS.items():
            turns = {
                each: turn(target, operation, SMALL, CONNECTIONS)
                for each, target in targets.items()
            }
            for piece in pieces:
                print(f"{name} without {piece}", flush=True)
                pair = {each: turns[each] for each in (WHOLE, piece)}
                measured[piece, name] = interleaved(pair, plan)
        tables = [
            _ratios("requests a second, without / with", "rate", pieces, measured),
            _ratios("processor time of a request, without / with", "cpu_ms", pieces, measured),
        ]
        if MALLOPT in pieces:
            tables.append(_memory(whole, targets[MALLOPT]))
        known = facts(place, [whole.subject])
    write("ablation", known, plan, tables)


def _ratios(title: str, value: str, pieces: Sequence[str], measured: Measured) -> Table:
    rows = [
        [
            f"{PIECES[piece].title}: {PIECES[piece].original}",
            *(str(measured[piece, name].ratio(piece, WHOLE, value)) for name in OPERATIONS),
        ]
        for piece in pieces
    ]
    return Table([title, *OPERATIONS], rows)


def _memory(whole: Target, without: Target) -> Table:
    """Serve pages of the longest todos. Every description changes, so this comes last."""
    whole.database.execute("UPDATE todos_todo SET description = repeat('\U0001f600', 10000)")
    rows = []
    for target, title in ((whole, "with"), (without, "without")):
        print(f"Memory {title} {MALLOPT}", flush=True)
        turn(target, LIST, SMALL, connections=8)(MEMORY_SECONDS)
        rows.append([f"{title} `{MALLOPT}`", target.process.workers_mib()])
    return Table(["after pages of the longest todos", "memory of each worker, MiB"], rows)
