"""Operations to measure, and the turn of one server with one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from benchmarks.asking import Ask
from benchmarks.load import Measurement, measure, write_requests
from benchmarks.owners import Group, Mint, token
from benchmarks.rounds import Turn
from benchmarks.subjects import Subject
from benchmarks.targets import Target

NEW = {
    "title": "Write down what was measured",
    "description": "With the date, the versions and the machine: numbers alone say nothing.",
}
TIMES_EACH_TOKEN = 5

_chance = random.Random(20)  # noqa: S311


@dataclass(frozen=True, slots=True)
class Operation:
    """``ask`` makes the request of the group's owner with this number."""

    name: str
    ask: Callable[[Subject, Group, int], Ask]
    writes: bool = False


def newest(subject: Subject, group: Group, number: int) -> Ask:
    return subject.newest()


def one(subject: Subject, group: Group, number: int) -> Ask:
    return subject.one(group.todo_id(number, _chance.randint(1, group.todos_each)))


def new(subject: Subject, group: Group, number: int) -> Ask:
    return subject.new({**NEW, "title": f"{NEW['title']} {_chance.randint(1, 9999)}"})


LIST, GET = Operation("list", newest), Operation("get", one)
CREATE = Operation("create", new, writes=True)
OPERATIONS = {each.name: each for each in (LIST, GET, CREATE)}


def turn(
    target: Target,
    operation: Operation,
    group: Group,
    connections: int,
    *,
    mint: Mint = token,
) -> Turn:
    """Measure an operation for the owners of a group, then delete what it has created."""
    asked = _requests(target, operation, group, list(group.tokens(mint)))
    requests = write_requests(target.folder, f"{target.name}-{operation.name}", asked)

    def run(seconds: int) -> Measurement:
        before = target.process.cpu_seconds()
        measured = measure(target.port, requests, connections=connections, seconds=seconds)
        used = target.process.cpu_seconds() - before
        if operation.writes:
            target.settle()
        return replace(measured, cpu_ms=used * 1000 / measured.requests)

    return run


def _requests(
    target: Target, operation: Operation, group: Group, tokens: list[tuple[int, str]]
) -> Iterator[bytes]:
    for number, bearer in tokens * TIMES_EACH_TOKEN:
        yield operation.ask(target.subject, group, number).octets(target.port, bearer)
