"""curve.png: success and return over steps and over minutes; and several trainings in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kprl.files import atomic_file

PANELS = (("success", "success rate"), ("return", "return"))
ACROSS = (("step", "environment steps"), ("minutes", "minutes"))


def plot_curve(rows: Sequence[Mapping[str, float]], path: Path, title: str) -> None:
    """Draw the rows of metrics.csv: evaluations as points, training episodes as a faint line."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2, sharey="row")
    for line, (name, label) in zip(axes, PANELS, strict=True):
        for axis, (across, across_label) in zip(line, ACROSS, strict=True):
            for kind, style in (("train", {"color": "0.7"}), ("eval", {"color": "C0", "marker": "o"})):
                column = f"{kind}_{name}"
                points = [(row[across], row[column]) for row in rows if column in row]
                if points:
                    words = "greedy evaluation" if kind == "eval" else "training, exploration included"
                    axis.plot(*zip(*points, strict=True), label=words, **style)
            axis.set_xlabel(across_label)
            axis.grid(alpha=0.3)
        line[0].set_ylabel(label)
    axes[0][0].set_ylim(-0.03, 1.03)
    axes[0][0].legend(loc="best", fontsize=8)
    figure.suptitle(title)
    with atomic_file(path) as beside:
        figure.savefig(beside, dpi=110)


def plot_seeds(methods: Mapping[str, Sequence[Sequence[tuple[float, float]]]], path: Path, title: str) -> None:
    """Draw success over steps of several trainings of each method, and their mean where all of them have got to.

    Args:
        methods: name -> for each of its runs, the (steps, success rate) of its evaluations, at least one, in order.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for index, (name, runs) in enumerate(methods.items()):
        colour, tables = f"C{index}", [np.array(run) for run in runs]
        for table in tables:
            axis.plot(table[:, 0], table[:, 1], color=colour, alpha=0.35, linewidth=0.8, marker=".")
        across = np.linspace(max(table[0, 0] for table in tables), min(table[-1, 0] for table in tables), 100)
        each = np.array([np.interp(across, table[:, 0], table[:, 1]) for table in tables])
        axis.plot(across, each.mean(0), color=colour, linewidth=2, label=f"{name}, mean of {len(runs)}")
        axis.fill_between(across, each.min(0), each.max(0), color=colour, alpha=0.15, label="least to most")
    axis.set(xlabel="environment steps", ylabel="success of greedy evaluations", ylim=(-0.03, 1.03))
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right", fontsize=8)
    figure.suptitle(title)
    with atomic_file(path) as beside:
        figure.savefig(beside, dpi=110)
