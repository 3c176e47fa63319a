"""``self``: the cost of token algorithms, 304 answers, memory and a start."""

from __future__ import annotations

import random
import time
from functools import cache, partial
from statistics import median

from benchmarks.asking import Ask
from benchmarks.facts import facts
from benchmarks.issuer import Issuer, issuer
from benchmarks.operations import CREATE, GET, LIST, Operation, turn
from benchmarks.owners import Group, token
from benchmarks.processes import free_port, running
from benchmarks.results import Table, write
from benchmarks.rounds import Plan, Rounds, interleaved
from benchmarks.subjects import Ours, Subject
from benchmarks.targets import SMALL, Bench, Target, bench, seeded

CONNECTIONS = 32
STARTS = 5
MIXED_REQUESTS = 100_000
MIXED_SECONDS = 10

Rows = list[list[str]]


def measure_self(plan: Plan) -> None:
    with bench() as place, issuer() as better_auth:
        subject = Ours(BETTER_AUTH_URL=better_auth.url)
        with seeded(subject, place, [SMALL]) as target:
            rows = [
                *_memory(target),  # first: later measurements would raise it
                *_algorithms(target, better_auth, plan),
                *_not_modified(target, plan),
            ]
        rows += _starts(target, place)
        known = facts(place, [subject])
    write("self", known, plan, [Table(["this project against itself", ""], rows)])


def _algorithms(target: Target, better_auth: Issuer, plan: Plan) -> Rows:
    """Measure both kinds of token at one server, which has a key set and a secret."""
    rows = []
    for operation in (LIST, GET):
        print(f"EdDSA and HS256, {operation.name}", flush=True)
        run = partial(turn, target, operation, SMALL, CONNECTIONS)
        rounds = interleaved({"EdDSA": run(mint=better_auth.token), "HS256": run()}, plan)
        rows += _compared(rounds, "EdDSA", "HS256", operation.name)
    return rows


def _not_modified(target: Target, plan: Plan) -> Rows:
    """Get the newest todo of each owner, with and without its etag."""
    print("304 and 200, get", flush=True)

    @cache
    def shown(number: int) -> dict[str, str]:
        answer = target.send(target.subject.newest(), token(SMALL.owner(number)))
        todo: dict[str, str] = target.subject.listed(answer.data)[0]
        return todo

    def get(subject: Subject, group: Group, number: int) -> Ask:
        return subject.one(shown(number)["id"])

    def get_changed(subject: Subject, group: Group, number: int) -> Ask:
        todo = shown(number)
        return Ask("GET", subject.one(todo["id"]).path, {"If-None-Match": todo["etag"]})

    run = partial(turn, target, group=SMALL, connections=CONNECTIONS)
    turns = {
        "304": run(operation=Operation("304", get_changed)),
        "200": run(operation=Operation("200", get)),
    }
    return _compared(interleaved(turns, plan), "304", "200", "get")


def _compared(rounds: Rounds, over: str, under: str, operation: str) -> Rows:
    named = f"{operation}: {over} / {under}"
    return [
        [f"{named}, requests a second", str(rounds.ratio(over, under, "rate"))],
        [f"{named}, processor time of a request", str(rounds.ratio(over, under, "cpu_ms"))],
    ]


def _memory(target: Target) -> Rows:
    print(f"memory, {MIXED_REQUESTS:,} requests", flush=True)
    chance, done = random.Random(3), 0  # noqa: S311

    def mixed(subject: Subject, group: Group, number: int) -> Ask:
        [operation] = chance.choices([LIST, GET, CREATE], [45, 45, 10])
        return operation.ask(subject, group, number)

    run = turn(target, Operation("mixed", mixed), SMALL, CONNECTIONS)
    before = target.process.workers_mib()
    while done < MIXED_REQUESTS:
        done += run(MIXED_SECONDS).requests
    target.settle()
    return [
        ["memory of each worker, MiB, at first", before],
        [f"memory of each worker, MiB, after {done:,} requests", target.process.workers_mib()],
    ]


def _starts(target: Target, place: Bench) -> Rows:
    print(f"{STARTS} starts", flush=True)
    seconds = [_start(target, place) for _ in range(STARTS)]
    shown = f"{median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
    return [["seconds from the start to the first 200 of /healthz", shown]]


def _start(target: Target, place: Bench) -> float:
    port = free_port()

    def is_healthy() -> bool:
        try:
            return Ask("GET", "/healthz").send(port, "").status == 200
        except OSError:
            return False

    command = target.subject.command(port)
    environment = target.subject.environment(port, target.database)
    begin = time.perf_counter()
    with running(command, environment, log=place.folder / "start.log", is_ready=is_healthy):
        return time.perf_counter() - begin
