"""The numbers of a training run: metrics.csv, flushed row by row, and TensorBoard."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

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

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rows: list[dict[str, float]] = []
        self._file = (folder / "metrics.csv").open("w", newline="")
        self._csv = csv.DictWriter(self._file, COLUMNS)
        self._csv.writeheader()
        self._board = SummaryWriter(str(folder / "tensorboard"))

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


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
