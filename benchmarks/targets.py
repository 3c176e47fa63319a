"""Running servers on seeded databases of one PostgreSQL."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.asking import Answer, Ask
from benchmarks.owners import Group, token
from benchmarks.postgres import Cluster, Database, postgresql
from benchmarks.processes import Process, free_port, running
from benchmarks.seed import seed, settle
from benchmarks.subjects import Subject

BUSY = 0.5
SMALL = Group("ordinary", owners=500, todos_each=20)


@dataclass(frozen=True, slots=True)
class Bench:
    folder: Path
    cluster: Cluster
    load_average: float  # before the first server started


@contextmanager
def bench() -> Iterator[Bench]:
    load = os.getloadavg()[0]
    if load > BUSY:
        print(f"The machine is busy (load {load:.1f}): rates will be low. Stop its other work.")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, postgresql() as cluster:
        yield Bench(Path(folder), cluster, load)


@dataclass(frozen=True, slots=True)
class Target:
    """A running subject. ``folder`` is for its temporary files."""

    name: str
    subject: Subject
    port: int
    database: Database
    process: Process
    folder: Path

    def send(self, ask: Ask, token: str) -> Answer:
        return ask.send(self.port, token)

    def settle(self) -> None:
        settle(self.subject, self.database)


@contextmanager
def seeded(
    subject: Subject, place: Bench, groups: Sequence[Group], *, posted: int = 20, name: str = ""
) -> Iterator[Target]:
    """Start a server on a new database, with ``posted`` different todos copied to the groups."""
    name = name or subject.name
    print(f"Starting and seeding {name}", flush=True)
    database = place.cluster.create(name)
    subject.create_table(database)
    with started(subject, place, database, name) as target:
        seed(subject, target.port, database, groups, posted)
        yield target


@contextmanager
def started(subject: Subject, place: Bench, database: Database, name: str) -> Iterator[Target]:
    port = free_port()
    probe, somebody = subject.newest(), token("somebody")

    def is_ready() -> bool:
        try:
            return probe.send(port, somebody).status == 200
        except OSError:
            return False

    command, environment = subject.command(port), subject.environment(port, database)
    log = place.folder / f"{name}.log"
    with running(command, environment, log=log, is_ready=is_ready) as process:
        yield Target(name, subject, port, database, process, place.folder)
