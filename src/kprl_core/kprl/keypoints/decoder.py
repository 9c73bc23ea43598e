"""Decoders: depth and segmentation from the keypoints alone, the bottleneck that makes them useful."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kprl.keypoints.dense_unet import DenseBlock
from kprl.keypoints.layer import cell_centres

MAP_SIZE = 32  # cells of the Gaussian maps and of the predictions, each way
OUTPUTS = 4  # depth and three classes


def gaussian_maps(keypoints: Tensor, sharpness: float, size: int = MAP_SIZE) -> Tensor:
    """Draw keypoints (N, K, 3) as maps (N, K, size, size) of c exp(-sharpness d^2), d in cells."""
    centres = cell_centres(size, keypoints)
    cells = size / 2.0  # cells per unit of normalised coordinates
    u = torch.exp(-sharpness * (cells * (centres - keypoints[..., 0:1])).square())  # (N, K, W)
    v = torch.exp(-sharpness * (cells * (centres - keypoints[..., 1:2])).square())  # (N, K, H)
    # A Gaussian is separable: K (H + W) exponentials instead of K H W.
    return keypoints[..., 2, None, None] * v[..., :, None] * u[..., None, :]


class ShallowDecoder(nn.Module):
    """Two convolutions: maps (N, K, 32, 32) -> depth (N, 1, 32, 32) and class logits (N, 3, 32, 32)."""

    def __init__(self, num_keypoints: int, channels: int = 24) -> None:
        super().__init__()
        self.first = nn.Conv2d(num_keypoints, channels, 5, padding=2)
        self.second = nn.Conv2d(channels, OUTPUTS, 3, padding=1)
        # What does not depend on the keypoints, such as the empty table, need not be drawn by them.
        self.empty = nn.Parameter(torch.zeros(1, OUTPUTS, MAP_SIZE, MAP_SIZE))

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (N, K, 32, 32) -> depth (N, 1, 32, 32) and the logits of the classes (N, 3, 32, 32)."""
        out = self.second(F.relu(self.first(maps))) + self.empty
        return out[:, :1], out[:, 1:]


class DenseDecoder(nn.Module):
    """Two dense blocks with growing dilation; shapes as `ShallowDecoder`."""

    def __init__(self, num_keypoints: int, growth: int = 24, layers: int = 4) -> None:
        super().__init__()
        self.stem = nn.Conv2d(num_keypoints, 2 * growth, 3, padding=1, bias=False)
        self.block = DenseBlock(2 * growth, layers, growth)
        channels = self.block.outputs
        self.head = nn.Sequential(nn.BatchNorm2d(channels), nn.SiLU(), nn.Conv2d(channels, OUTPUTS, 1))
        self.empty = nn.Parameter(torch.zeros(1, OUTPUTS, MAP_SIZE, MAP_SIZE))

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (N, K, 32, 32) -> depth (N, 1, 32, 32) and the logits of the classes (N, 3, 32, 32)."""
        out = self.head(self.block(self.stem(maps))) + self.empty
        return out[:, :1], out[:, 1:]
