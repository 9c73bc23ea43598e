"""What the decoder must predict, at its own resolution of 32x32 cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kprl.keypoints.decoder import MAP_SIZE

CLASSES = 3


@dataclass(frozen=True)
class Batch:
    """What one update learns from: N images and what the decoder must say of them."""

    images: Tensor  # (N, 1, 64, 64) grey in [0, 1]
    depth: Tensor  # (N, 1, 32, 32) normalised
    shares: Tensor  # (N, 3, 32, 32) of each class in each cell

    def first(self, images: int) -> Batch:
        """The first images of the batch."""
        return Batch(self.images[:images], self.depth[:images], self.shares[:images])


@dataclass(frozen=True)
class DepthScale:
    """Depth [m] is learnt as (depth - mean) / deviation."""

    mean: float  # [m]
    deviation: float  # [m]

    @staticmethod
    def of(depth: np.ndarray) -> DepthScale:
        """Scale of depth images (N, 64, 64) [m]."""
        values = depth[:: max(1, len(depth) // 500)].astype(np.float32)
        return DepthScale(float(values.mean()), max(float(values.std()), 1e-3))


def depth_target(depth: Tensor, scale: DepthScale) -> Tensor:
    """Depth (N, 64, 64) [m] -> normalised depth (N, 1, 32, 32), averaged over each cell."""
    metres = depth.float()[:, None]
    return (F.avg_pool2d(metres, metres.shape[-1] // MAP_SIZE) - scale.mean) / scale.deviation


def class_shares(segmentation: Tensor) -> Tensor:
    """Segmentation (N, 64, 64) uint8 -> share of each class in each cell (N, 3, 32, 32).

    Shares rather than one class a cell: a finger tip is one or two pixels wide.
    """
    one_hot = torch.stack([segmentation == c for c in range(CLASSES)], dim=1).float()
    return F.avg_pool2d(one_hot, one_hot.shape[-1] // MAP_SIZE)
