"""Running observation normalisation: moments gathered in training, frozen in use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

CLIP = 5.0
"""Normalised values are clipped to [-CLIP, CLIP]."""
MIN_DEVIATION = 1e-2
"""Smallest divisor, in the observation's own unit: a column that hardly moves is not blown up to noise."""


class RunningMoments:
    """Mean and variance of every row ever seen (Chan's parallel update, in float64)."""

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = np.zeros(size)
        self.spread = np.zeros(size)  # sum of squared deviations from the mean

    def update(self, rows: np.ndarray) -> None:
        """Merge rows (N, size)."""
        rows = rows.astype(np.float64)
        total = self.count + len(rows)
        new_mean = rows.mean(0)
        gap = new_mean - self.mean
        self.spread += ((rows - new_mean) ** 2).sum(0) + gap**2 * (self.count * len(rows) / total)
        self.mean += gap * (len(rows) / total)
        self.count = total

    def deviation(self) -> np.ndarray:
        """Standard deviation of each column, at least MIN_DEVIATION (size,)."""
        return np.maximum(np.sqrt(self.spread / max(self.count, 1)), MIN_DEVIATION)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Plain tensors."""
        return {
            "count": torch.tensor(self.count),
            "mean": torch.from_numpy(self.mean),
            "spread": torch.from_numpy(self.spread),
        }

    def load_state_dict(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take over a `state_dict`."""
        self.count = int(tensors["count"])
        self.mean, self.spread = tensors["mean"].numpy().copy(), tensors["spread"].numpy().copy()


class Normaliser(nn.Module):
    """(x - mean) / deviation, clipped; a disabled one passes its input through untouched."""

    scale: torch.Tensor  # (size,) 1 / deviation
    shift: torch.Tensor  # (size,) - mean / deviation

    def __init__(self, size: int, enabled: bool) -> None:
        super().__init__()
        self.enabled = enabled
        self.register_buffer("scale", torch.ones(size))
        self.register_buffer("shift", torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (..., size) float32 -> the same shape."""
        if not self.enabled:
            return x
        return torch.addcmul(self.shift, x, self.scale).clamp(-CLIP, CLIP)

    def adopt(self, moments: RunningMoments) -> None:
        """Normalise by `moments` from now on."""
        deviation = moments.deviation()
        self.scale.copy_(torch.from_numpy(1 / deviation))
        self.shift.copy_(torch.from_numpy(-moments.mean / deviation))
