"""The experiment's picture: curves over steps, or bars, with mean and spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kprl.experiments.experiment import Experiment
from kprl.experiments.results import CellResult, of, spread_of
from kprl.experiments.statistics import band
from kprl.files import atomic_file

COLUMNS = 2  # of bars


def plot(
    path: Path, experiment: Experiment, tasks: Sequence[str], methods: Sequence[str], results: Sequence[CellResult]
) -> None:
    """Draw what there is: the mean over seeds, and one standard deviation, the root of the variance, on either side."""
    figure = Figure(layout="constrained")
    FigureCanvasAgg(figure)
    (_curves if experiment.has_curves else _bars)(figure, experiment, tasks, methods, results)
    figure.suptitle(f"{experiment.title}\nmean over seeds, ± one standard deviation", fontsize=10)
    with atomic_file(path) as beside:
        figure.savefig(beside, dpi=110)


def _curves(
    figure: Figure, experiment: Experiment, tasks: Sequence[str], methods: Sequence[str], results: Sequence[CellResult]
) -> None:
    """A row of panels for each figure of the table, a column for each task, as the paper has them."""
    figure.set_size_inches(1 + 4.0 * len(tasks), 0.8 + 2.6 * len(experiment.metrics))
    panels = figure.subplots(len(experiment.metrics), len(tasks), squeeze=False, sharey="row")
    for line, metric in zip(panels, experiment.metrics, strict=True):
        for axis, task in zip(line, tasks, strict=True):
            for number, method in enumerate(methods):
                curves = [
                    [(point["step"], point[metric.key]) for point in result["points"] if point["point"] != "final"]
                    for result in of(results, task, method)
                ]
                if curves:
                    _band(axis, curves, f"C{number}", method)
            axis.set_title(task, fontsize=9)
            axis.grid(alpha=0.3)
        line[0].set_ylabel(metric.title)
        if metric.form == "%":
            line[0].set_ylim(-0.03, 1.03)
    for axis in panels[-1]:
        axis.set_xlabel("environment steps")
    if panels[0][0].lines:
        panels[0][0].legend(loc="best", fontsize=8)


def _band(axis: Axes, curves: list[list[tuple[float, float]]], colour: str, method: str) -> None:
    step, mean, variance, seeds = band(curves)
    axis.plot(step, mean, color=colour, label=f"{method} ({seeds})")
    if seeds > 1:
        deviation = np.sqrt(variance)
        axis.fill_between(step, mean - deviation, mean + deviation, color=colour, alpha=0.2, linewidth=0)


def _bars(
    figure: Figure, experiment: Experiment, tasks: Sequence[str], methods: Sequence[str], results: Sequence[CellResult]
) -> None:
    """A panel for each figure of the table; a bar for each task and method."""
    columns = min(COLUMNS, len(experiment.metrics))
    rows = -(-len(experiment.metrics) // columns)
    names = [(task, method) for task in tasks for method in methods]
    figure.set_size_inches(1 + 4.5 * columns, 0.8 + rows * (1.0 + 0.25 * len(names)))
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axis, metric in zip(panels, experiment.metrics, strict=False):
        for place, (task, method) in enumerate(names):
            found = spread_of(results, task, method, metric.key)
            if found:
                deviation = None if found.seeds == 1 else np.sqrt(found.variance)
                axis.barh(place, found.mean, xerr=deviation, color=f"C{place % 10}", capsize=3)
        labels = [method if len(tasks) == 1 else task if len(methods) == 1 else f"{task} {method}"
                  for task, method in names]  # fmt: skip
        axis.set_yticks(range(len(names)), labels, fontsize=8)
        axis.invert_yaxis()
        axis.set_title(metric.title, fontsize=9)
        axis.grid(alpha=0.3, axis="x")
        if metric.form == "%":
            axis.set_xlim(0, 1.03)
