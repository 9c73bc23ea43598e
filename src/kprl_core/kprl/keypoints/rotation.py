"""The geometrical transformations T of equation (3): in-plane rotations by 90, 180 and 270 degrees."""

from __future__ import annotations

import torch
from torch import Tensor

ROTATIONS = (1, 2, 3)
"""Quarter turns, anticlockwise on the screen."""


def rotate_maps(maps: Tensor, quarter_turns: int) -> Tensor:
    """Rotate images or feature maps (..., H, W) anticlockwise as seen on the screen."""
    return torch.rot90(maps, quarter_turns, dims=(-2, -1))


def rotate_keypoints(keypoints: Tensor, quarter_turns: int) -> Tensor:
    """Rotate keypoints (..., 2 or 3) = (u, v[, confidence]) about the image centre, as `rotate_maps` maps."""
    u, v, rest = keypoints[..., 0], keypoints[..., 1], keypoints[..., 2:]
    for _ in range(quarter_turns % 4):
        u, v = v, -u
    return torch.cat([torch.stack([u, v], dim=-1), rest], dim=-1)


def rotate_in_groups(maps: Tensor) -> Tensor:
    """Rotate the first third of a batch (N, C, H, W) by 90, the second by 180, the last by 270 degrees."""
    return torch.cat([rotate_maps(part, turns) for part, turns in zip(_thirds(maps), ROTATIONS, strict=True)])


def _thirds(batch: Tensor) -> tuple[Tensor, ...]:
    if len(batch) < len(ROTATIONS):
        raise ValueError(f"a batch of {len(batch)} cannot be cut into {len(ROTATIONS)} groups")
    return torch.tensor_split(batch, len(ROTATIONS))
