"""curve.png: success and return over steps and over minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

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
