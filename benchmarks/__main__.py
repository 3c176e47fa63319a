"""Measures this project. benchmarks/README.md says what is measured, and how to repeat it."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace

from benchmarks.comparison import compare
from benchmarks.installed import CannotRun
from benchmarks.large import measure_large
from benchmarks.operations import OPERATIONS
from benchmarks.ourselves import measure_self
from benchmarks.peer_subjects import PEERS_BY_NAME
from benchmarks.rounds import Plan


def peers(options: Namespace) -> None:
    compare(
        against=options.against,
        operations=options.operations,
        connections=options.connections,
        plan=Plan(options.rounds, options.seconds),
    )


def ourselves(options: Namespace) -> None:
    measure_self(Plan(options.rounds, options.seconds))


def large(options: Namespace) -> None:
    measure_large(Plan(options.rounds, options.seconds))


COMMANDS = {"peers": [peers], "self": [ourselves], "large": [large], "short": [peers, ourselves]}


def main() -> None:
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops what was started, too
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
    add("--seconds", type=int, default=3, help="of each turn")
    several = parser.add_argument_group("of peers, one or more").add_argument
    several("--against", nargs="+", choices=[*PEERS_BY_NAME], default=[*PEERS_BY_NAME])
    several("--operations", nargs="+", choices=[*OPERATIONS], default=[*OPERATIONS])
    several("--connections", nargs="+", type=int, default=[32, 8])
    return parser


if __name__ == "__main__":
    main()
