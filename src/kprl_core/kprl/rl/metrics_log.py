"""The numbers of a training run: metrics.csv, flushed row by row, and TensorBoard."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

from kprl.errors import KprlError
from kprl.files import atomic_file

COLUMNS = (
    "step",  # environment steps so far
    "episode",  # training episodes so far
    "updates",  # gradient updates so far
    "minutes",  # wall clock since the training began
    "eval_success",  # greedy, ordinary starts; empty in rows without an evaluation
    "eval_return",
    "train_success",  # of the latest training episodes from ordinary starts, exploration included
    "train_return",
    "q",
    "critic_loss",
    "actor_loss",
    "entropy",
    "temperature",
    "steps_per_s",  # since the row before, as is the next
    "updates_per_s",
    "dropped",  # training episodes so far that were lost with a worker
)


class MetricsLog:
    """Writes each row to disk at once, so that a crash loses nothing; use as a context manager."""

    def __init__(self, folder: Path, keep: int = 0) -> None:
        """`keep`: rows of an earlier part of the training to go on after; what follows them is dropped."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "metrics.csv"
        self.rows = _read(path)[:keep] if keep else []
        if len(self.rows) < keep:
            raise KprlError(f"{path} has {len(self.rows)} rows, expected {keep}: restore it, or train anew")
        with atomic_file(path) as beside, beside.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows({name: _short(value) for name, value in row.items()} for row in self.rows)
        self._file = path.open("a", newline="")
        self._csv = csv.DictWriter(self._file, COLUMNS)
        purge = int(self.rows[-1]["step"]) + 1 if self.rows else None
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=purge)

    def row(self, values: Mapping[str, float]) -> None:
        """Add a row; a column that is NaN or left out stays empty, an unknown one is a ValueError."""
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        self._csv.writerow({name: _short(value) for name, value in known.items()})
        self._file.flush()
        self.rows.append(known)
        step = int(values["step"])
        for name, value in known.items():
            if name != "step":
                self._board.add_scalar(name, value, step)

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._board.close()
        self._file.close()


def read_evaluations(path: Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv that have an evaluation; of each, the columns that are known."""
    return [row for row in _read(path) if "eval_success" in row]


def _read(path: Path) -> list[dict[str, float]]:
    try:
        with path.open(newline="") as file:
            return [{name: float(text) for name, text in row.items() if text} for row in csv.DictReader(file)]
    except (OSError, TypeError, ValueError) as error:
        raise KprlError(f"{path} cannot be read ({error}): restore it, or train anew") from None


def _short(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}"
