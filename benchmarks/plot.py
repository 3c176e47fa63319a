"""Draw the chart on standard input. Runs in .venv-bench, which has matplotlib."""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

COLOURS = ("#1f6feb", "#bf8700", "#8250df", "#57606a")
GROUP_WIDTH = 0.8


def main() -> None:
    # Equal numbers give an equal file, and its text can be searched.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "benchmarks"})
    draw(json.load(sys.stdin), sys.argv[1])


def draw(chart: dict[str, Any], path: str) -> None:
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    width = GROUP_WIDTH / len(chart["bars"])
    for place, (name, values) in enumerate(chart["bars"].items()):
        shift = (place - (len(chart["bars"]) - 1) / 2) * width
        places = [group + shift for group in range(len(values))]
        heights = [value or 0 for value in values]
        bars = axes.bar(places, heights, width * 0.92, label=name, color=COLOURS[place % 4])
        axes.bar_label(bars, [labelled(value) for value in values], padding=2, fontsize=8)
    if chart["limit"]:
        axes.axhline(chart["limit"], color="#cf222e", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(chart["groups"])), chart["groups"])
    axes.set_title(chart["title"], fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.12)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.savefig(path, metadata={"Date": None}, facecolor="white")


def labelled(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    main()
