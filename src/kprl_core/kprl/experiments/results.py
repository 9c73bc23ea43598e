"""What is known of the cells so far: results.csv in long form, summary.csv with mean and variance."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kprl.experiments.attempt import RESULT, is_done
from kprl.experiments.experiment import Experiment
from kprl.experiments.plan import Cell, Job, Plan
from kprl.experiments.scheduler import Outcome
from kprl.experiments.statistics import Spread, spread
from kprl.files import atomic_file, read_json

CELL_COLUMNS = ("experiment", "task", "method", "seed", "status")
SUMMARY_COLUMNS = ("experiment", "task", "method", "metric", "mean", "variance", "seeds")


@dataclass(frozen=True)
class CellResult:
    """A cell and what became of it."""

    cell: Cell
    result: dict[str, Any] | None = None  # None: none yet
    error: str = ""

    @property
    def status(self) -> str:
        """done, failed or not run."""
        return "done" if self.result else "failed" if self.error else "not run"


def collect(plan: Plan, root: Path, outcomes: dict[str, Outcome]) -> list[CellResult]:
    """Read the result of every cell that has one."""
    jobs: dict[str, Job] = {job.name: job for job in plan.jobs}
    results = []
    for cell in plan.cells:
        done = is_done(jobs[cell.job], root)
        outcome = outcomes.get(cell.job, Outcome())
        result = read_json(root / cell.job / RESULT) if done else None
        results.append(CellResult(cell, result, "" if done else outcome.error))
    return results


def of(results: Iterable[CellResult], task: str, method: str) -> list[dict[str, Any]]:
    """The results of one task and method that there are, seed after seed."""
    return [each.result for each in results if each.result and (each.cell.task, each.cell.method) == (task, method)]


def spread_of(results: Iterable[CellResult], task: str, method: str, key: str) -> Spread | None:
    """Mean and variance over seeds of a figure of the table; None where no seed has it."""
    values = [result["final"][key] for result in of(results, task, method)]
    known = [value for value in values if value is not None]
    return spread(known) if known else None


def write_results(path: Path, experiment: Experiment, results: Sequence[CellResult]) -> None:
    """One row a cell and evaluation point; one with its error for a cell that failed, one for a cell not run."""
    rows = []
    for each in results:
        cell = each.cell
        key = (experiment.name, cell.task, cell.method, cell.seed, each.status)
        head = dict(zip(CELL_COLUMNS, key, strict=True))
        points = each.result["points"] if each.result else [{"error": each.error}]
        rows += [head | point for point in points]
    _write(path, (*CELL_COLUMNS, *experiment.columns, "error"), rows)


def write_summary(
    path: Path, experiment: Experiment, tasks: Sequence[str], methods: Sequence[str], results: Sequence[CellResult]
) -> None:
    """One row a task, method and figure of the table; the variance is empty for a single seed."""
    rows = []
    for task in tasks:
        for method in methods:
            for metric in experiment.metrics:
                if found := spread_of(results, task, method, metric.key):
                    variance = "" if found.seeds == 1 else found.variance
                    key = (experiment.name, task, method, metric.key, found.mean, variance, found.seeds)
                    rows.append(dict(zip(SUMMARY_COLUMNS, key, strict=True)))
    _write(path, SUMMARY_COLUMNS, rows)


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with atomic_file(path) as beside, beside.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
