"""``peers``: this project and other servers on one PostgreSQL with the same todos."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.checks import check
from benchmarks.facts import facts
from benchmarks.operations import OPERATIONS, turn
from benchmarks.peer_subjects import PEERS_BY_NAME
from benchmarks.results import Chart, Table, write
from benchmarks.rounds import Plan, Rounds, interleaved
from benchmarks.subjects import Ours, Subject
from benchmarks.targets import SMALL, Target, bench, seeded

Measured = dict[tuple[str, int], Rounds]


def compare(
    *, against: Sequence[str], operations: Sequence[str], connections: Sequence[int], plan: Plan
) -> None:
    subjects: list[Subject] = [Ours(), *(PEERS_BY_NAME[name] for name in against)]
    for subject in subjects:
        subject.install()
    measured: Measured = {}
    with bench() as place, ExitStack() as running:
        targets = [running.enter_context(seeded(subject, place, [SMALL])) for subject in subjects]
        for target in targets:
            check(target, SMALL)
        for count in connections:
            for operation in operations:
                print(f"{operation}, {count} connections", flush=True)
                measured[operation, count] = _measured(targets, operation, count, plan)
        known = facts(place, subjects)
    tables = [_rates(subjects, operations, count, measured) for count in connections]
    tables.append(_latencies(subjects, operations, connections[0], measured))
    tables.append(_processor_times(subjects, operations, connections[0], measured))
    write("peers", known, plan, tables, _chart(subjects, operations, connections[0], measured))


def _measured(targets: Sequence[Target], operation: str, connections: int, plan: Plan) -> Rounds:
    asked = OPERATIONS[operation]
    turns = {each.name: turn(each, asked, SMALL, connections) for each in targets}
    return interleaved(turns, plan)


def _rates(
    subjects: Sequence[Subject], operations: Sequence[str], count: int, measured: Measured
) -> Table:
    """List requests a second, and the ratio to this project within each round."""
    head = [f"requests a second, {count} connections"]
    rows = [[subject.title] for subject in subjects]
    for operation in operations:
        head += [operation, "ours / it"]
        rounds = measured[operation, count]
        for subject, row in zip(subjects, rows, strict=True):
            ratio = rounds.ratio(Ours.name, subject.name, "rate")
            row += [f"{rounds.median(subject.name, 'rate'):,.0f}"]
            row += ["" if subject.name == Ours.name else str(ratio)]
    return Table(head, rows)


def _latencies(
    subjects: Sequence[Subject], operations: Sequence[str], count: int, measured: Measured
) -> Table:
    head = [f"milliseconds, {count} connections"]
    rows = [[subject.title] for subject in subjects]
    for operation in operations:
        head += [f"{operation}: p50", "p99", "p99 / p50"]
        rounds = measured[operation, count]
        for subject, row in zip(subjects, rows, strict=True):
            p50, p99 = (rounds.median(subject.name, value) for value in ("p50_ms", "p99_ms"))
            row += [f"{p50:.1f}", f"{p99:.1f}", f"{p99 / p50:.1f}"]
    return Table(head, rows)


def _processor_times(
    subjects: Sequence[Subject], operations: Sequence[str], count: int, measured: Measured
) -> Table:
    """Count the processor time of the server's own processes, without PostgreSQL."""
    head = [f"milliseconds of processor time, {count} connections", *operations]
    rows = []
    for subject in subjects:
        times = (measured[each, count].median(subject.name, "cpu_ms") for each in operations)
        rows.append([subject.title, *(f"{time:.2f}" for time in times)])
    return Table(head, rows)


def _chart(
    subjects: Sequence[Subject], operations: Sequence[str], count: int, measured: Measured
) -> Chart:
    return Chart(
        title=f"Requests a second, {count} connections",
        groups=list(operations),
        bars={
            subject.title: [
                measured[each, count].median(subject.name, "rate") for each in operations
            ]
            for subject in subjects
        },
    )
