"""What a training writes while it runs: metrics.csv and TensorBoard events."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from kprl.files import atomic_file

METRICS_FILE, BOARD_FOLDER = "metrics.csv", "tensorboard"
HELD_OUT = ("loss", "on_target", "objects_covered", "equivariance_px", "confident", "images")


class TrainingLog:
    """Rows of numbers and pictures, by step; a context manager that closes its files.

    `losses`: names of the objective's losses; `step`: rows after it, of a process that was killed, are dropped.
    """

    def __init__(self, folder: Path, losses: Iterable[str], step: int = 0) -> None:
        path = folder / METRICS_FILE
        kept = _rows_until(path, step) if step else []
        columns = ("step", "seconds", "loss", *losses, *(f"held_out/{name}" for name in HELD_OUT))
        with atomic_file(path) as beside, beside.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(kept)
        self._file = path.open("a", newline="")
        self._csv = csv.DictWriter(self._file, columns)
        self._board = SummaryWriter(str(folder / BOARD_FOLDER), purge_step=step + 1)

    def row(self, values: dict[str, Any]) -> None:
        """Write one row; `values` holds "step" and any of the columns, the others stay empty."""
        self._csv.writerow({name: value if name == "step" else f"{value:.6g}" for name, value in values.items()})
        self._file.flush()
        for name, value in values.items():
            if name != "step":
                self._board.add_scalar(name if "/" in name else f"train/{name}", value, int(values["step"]))

    def image(self, name: str, picture: np.ndarray, step: int) -> None:
        """Write an RGB picture (H, W, 3) uint8 to TensorBoard."""
        self._board.add_image(name, picture, step, dataformats="HWC")

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._board.close()


def _rows_until(path: Path, step: int) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["step"]) <= step]
