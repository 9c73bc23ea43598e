"""What a training writes while it runs: metrics.csv and TensorBoard events."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from torch.utils.tensorboard import SummaryWriter

LOSSES = ("loss", "depth", "segmentation", "proximity", "background", "equivariance")
HELD_OUT = ("on_target", "objects_covered", "equivariance_px", "confident", "images")
COLUMNS = ("step", "seconds", *LOSSES, *(f"held_out/{name}" for name in HELD_OUT))


class TrainingLog:
    """Rows of numbers and pictures, by step; a context manager that closes its files."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "metrics.csv").open("w", newline="")
        self._csv = csv.DictWriter(self._file, COLUMNS)
        self._csv.writeheader()
        self._board = SummaryWriter(str(folder / "tensorboard"))

    def row(self, values: dict[str, Any]) -> None:
        """Write one row; `values` holds "step" and any of COLUMNS, the others stay empty."""
        self._csv.writerow({name: f"{value:.6g}" for name, value in values.items()})
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
