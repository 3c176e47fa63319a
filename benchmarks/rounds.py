"""Measure in turns, so that other load on the machine slows all alike."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load import Measurement

PAUSE_SECONDS = 0.2  # lets the last turn settle
WARM_UP_SECONDS = 1

# Measure for a number of seconds.
Turn = Callable[[int], Measurement]


@dataclass(frozen=True, slots=True)
class Plan:
    rounds: int
    seconds: int

    def __str__(self) -> str:
        return f"medians of {self.rounds} rounds of {self.seconds} s each"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ratios of two values of the same round, over all rounds."""

    least: float
    median: float
    most: float

    def __str__(self) -> str:
        return f"**{self.median:.2f}** ({self.least:.2f} to {self.most:.2f})"


@dataclass(frozen=True, slots=True)
class Rounds:
    """Measurements of each round, by name. A value is an attribute of ``Measurement``."""

    measured: Sequence[Mapping[str, Measurement]]

    def median(self, name: str, value: str) -> float:
        values: list[float] = [getattr(each[name], value) for each in self.measured]
        return statistics.median(values)

    def ratio(self, over: str, under: str, value: str) -> Ratio:
        pairs = (
            (getattr(each[over], value), getattr(each[under], value)) for each in self.measured
        )
        ratios = [mine / other for mine, other in pairs]
        return Ratio(min(ratios), statistics.median(ratios), max(ratios))


def interleaved(turns: Mapping[str, Turn], plan: Plan) -> Rounds:
    """Take one turn of each name in every round, in a random order."""
    chance, names, measured = random.Random(7), list(turns), []  # noqa: S311
    for name in names:
        turns[name](WARM_UP_SECONDS)
    for _ in range(plan.rounds):
        chance.shuffle(names)
        measured.append({name: _after_a_pause(turns[name], plan) for name in names})
    return Rounds(measured)


def _after_a_pause(turn: Turn, plan: Plan) -> Measurement:
    time.sleep(PAUSE_SECONDS)
    return turn(plan.seconds)
