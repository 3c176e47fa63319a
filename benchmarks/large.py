"""``large``: the same server on a million todos and on ten thousand."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from urllib.parse import urlsplit

from benchmarks.asking import Ask
from benchmarks.checks import check
from benchmarks.facts import facts
from benchmarks.installed import CannotRun
from benchmarks.operations import CREATE, GET, LIST, Operation, turn
from benchmarks.owners import Group, token
from benchmarks.results import Chart, Table, write
from benchmarks.rounds import Plan, Rounds, interleaved
from benchmarks.subjects import Ours, Subject
from benchmarks.targets import Target, bench, seeded

CONNECTIONS = 8
TARGET = 1.3  # most that a latency may be, as a multiple of that on the small table
DIFFERENT_TODOS = 100
# An ordinary owner has as many todos in both tables, so that only the size of the table differs.
# The busy owner's last page is the second in the small table and the 1,000th in the large one.
ORDINARY, BUSY = "ordinary owners", "one with 100,000"
GROUPS = {
    "small": {ORDINARY: Group("ordinary", 98, 100), BUSY: Group("busy", 1, 200)},
    "large": {ORDINARY: Group("ordinary", 10_000, 100), BUSY: Group("busy", 1, 100_000)},
}
LAST_PAGE = {"small": 2, "large": 1000}
# A filter that matches stops after this many todos, of the tenth or third that match. One that
# matches none reads all todos of the owner, so its time depends on their number, not the table.
SHOWN = 5
NOT_FOUND = "q, not found"
FILTERS = {
    "tag": ("tag=garden", SHOWN),
    "q": ("q=GARDEN", SHOWN),
    "due=today": ("due=today", SHOWN),
    "due_from": (f"due_from={datetime.now(UTC).date()}", SHOWN),
    NOT_FOUND: ("q=zebra", 0),
}

Measured = dict[tuple[str, str], Rounds]


def measure_large(plan: Plan) -> None:
    measured: Measured = {}
    subject = Ours()
    with bench() as place, ExitStack() as running:
        targets = {}
        for name, groups in GROUPS.items():
            start = seeded(subject, place, [*groups.values()], posted=DIFFERENT_TODOS, name=name)
            targets[name] = running.enter_context(start)
            check(targets[name], groups[ORDINARY])
        for kind in (ORDINARY, BUSY):
            asked = {name: _operations(target, kind) for name, target in targets.items()}
            for operation in asked["small"]:
                print(f"{operation}, {kind}", flush=True)
                turns = {
                    name: turn(target, asked[name][operation], GROUPS[name][kind], CONNECTIONS)
                    for name, target in targets.items()
                }
                measured[operation, kind] = interleaved(turns, plan)
        known = facts(place, [subject])
    write("large", known, plan, [_table(measured)], _chart(measured))


def _operations(target: Target, kind: str) -> Mapping[str, Operation]:
    bearer = token(GROUPS[target.name][kind].owner(1))
    operations = {"list": LIST, "get": GET, "create": CREATE}
    for name, (query, count) in FILTERS.items():
        path = f"{target.subject.newest().path.partition('?')[0]}?limit={SHOWN}&{query}"
        _require_results(target, path, bearer, count)
        operations[name] = _reading(path)
    if kind == BUSY:
        path = _last_page(target, bearer)
        operations["last page"] = _reading(path)
    return operations


def _reading(path: str) -> Operation:
    def ask(subject: Subject, group: Group, number: int) -> Ask:
        return Ask("GET", path)

    return Operation("reading", ask)


def _last_page(target: Target, bearer: str) -> str:
    """Follow ``next`` from the first page, as a client does."""
    path = f"{target.subject.newest().path.partition('?')[0]}?limit=100"
    for _ in range(LAST_PAGE[target.name] - 1):
        parts = urlsplit(target.send(Ask("GET", path), bearer).data["next"])
        path = f"{parts.path}?{parts.query}"
    _require_results(target, path, bearer, 100)
    return path


def _require_results(target: Target, path: str, bearer: str, count: int) -> None:
    answer = target.send(Ask("GET", path), bearer)
    if answer.status != 200 or len(target.subject.listed(answer.data)) != count:
        raise CannotRun(f"{path} must list {count} todos: {answer.status} {answer.body!r}")


def _table(measured: Measured) -> Table:
    head = ["milliseconds (p50)", "for", "10,000 todos", "1,100,000 todos", "large / small"]
    rows = [
        [
            operation,
            kind,
            f"{rounds.median('small', 'p50_ms'):.2f}",
            f"{rounds.median('large', 'p50_ms'):.2f}",
            str(rounds.ratio("large", "small", "p50_ms")),
        ]
        for (operation, kind), rounds in measured.items()
    ]
    return Table(head, rows)


def _chart(measured: Measured) -> Chart:
    compared = [operation for operation, kind in measured if kind == BUSY]
    operations = [each for each in compared if each != NOT_FOUND]
    return Chart(
        title="p50 on 1,100,000 todos as a multiple of that on 10,000",
        groups=operations,
        bars={
            kind: [_times(measured.get((each, kind))) for each in operations]
            for kind in (ORDINARY, BUSY)
        },
        limit=TARGET,
    )


def _times(rounds: Rounds | None) -> float | None:
    return rounds.ratio("large", "small", "p50_ms").median if rounds else None
