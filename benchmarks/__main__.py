"""Measure the speed of this project. See benchmarks/README.md."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace

from benchmarks.ablation import measure_ablation
from benchmarks.comparison import compare
from benchmarks.installed import CannotRun
from benchmarks.large import measure_large
from benchmarks.operations import OPERATIONS
from benchmarks.ourselves import measure_self
from benchmarks.peer_subjects import PEERS_BY_NAME
from benchmarks.pieces import PIECES
from benchmarks.rounds import Plan


def peers(options: Namespace) -> None:
    compare(
        against=options.against,
        operations=options.operations,
        connections=options.connections,
        plan=plan(options),
    )


def ourselves(options: Namespace) -> None:
    measure_self(plan(options))


def large(options: Namespace) -> None:
    measure_large(plan(options))


def ablation(options: Namespace) -> None:
    measure_ablation(plan(options, seconds=1), pieces=options.without)


def plan(options: Namespace, *, seconds: int = 3) -> Plan:
    return Plan(options.rounds, options.seconds or seconds)


COMMANDS = {
    "peers": [peers],
    "self": [ourselves],
    "large": [large],
    "ablation": [ablation],
    "short": [peers, ourselves],
}


def main() -> None:
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the servers as well
    try:
        for run in COMMANDS[options.what]:
            run(options)
    except CannotRun as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        sys.exit(130)


def parser() -> ArgumentParser:
    parser = ArgumentParser(
        "python -m benchmarks", description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("what", nargs="?", choices=[*COMMANDS], default="short", help="short is peers and self")
    add("--rounds", type=int, default=7)
    add("--seconds", type=int, help="length of a turn: 3, and 1 for ablation, if left out")
    several = parser.add_argument_group("peers: one or more of").add_argument
    several("--against", nargs="+", choices=[*PEERS_BY_NAME], default=[*PEERS_BY_NAME])
    several("--operations", nargs="+", choices=[*OPERATIONS], default=[*OPERATIONS])
    several("--connections", nargs="+", type=int, default=[32, 8])
    pieces = parser.add_argument_group("ablation: one or more of").add_argument
    pieces("--without", nargs="+", choices=[*PIECES], default=[*PIECES])
    return parser


if __name__ == "__main__":
    main()
