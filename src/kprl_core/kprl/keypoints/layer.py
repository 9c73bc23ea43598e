"""From feature maps to keypoints: the softmax centroid (eq. 1) and the confidence (eq. 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def cell_centres(size: int, like: Tensor) -> Tensor:
    """Normalised coordinates (size,) in [-1, 1] of an axis's cell centres; type and device of `like`."""
    return (2.0 * torch.arange(size, dtype=like.dtype, device=like.device) + 1.0) / size - 1.0


def spatial_softmax(features: Tensor, sharpness: float = 1.0) -> Tensor:
    """Softmax over the cells of each map: (N, K, H, W) -> (N, K, H, W), each map sums to 1.

    `sharpness` multiplies the features first. The paper's is 1; a larger one lets a small network reach
    peaked maps, whose centroids lie on the object instead of near the image centre, in far fewer steps.
    """
    n, k, h, w = features.shape
    return torch.softmax(sharpness * features.reshape(n, k, h * w), dim=-1).reshape(n, k, h, w)


def centroids(maps: Tensor) -> Tensor:
    """Equation (1): centroids (N, K, 2), (u right, v down) in [-1, 1], of maps (N, K, H, W) that sum to 1."""
    h, w = maps.shape[-2:]
    u = maps.sum(dim=-2) @ cell_centres(w, maps)  # (N, K)
    v = maps.sum(dim=-1) @ cell_centres(h, maps)
    return torch.stack([u, v], dim=-1)


def confidences(features: Tensor) -> Tensor:
    """Equation (2): sigmoid of each map's maximum, (N, K, H, W) -> (N, K) in [0, 1]."""
    return torch.sigmoid(features.flatten(-2).amax(dim=-1))


class KeypointLayer(nn.Module):
    """Phi of the paper: features (N, K, H, W) -> keypoints (N, K, 3) = (u, v, confidence)."""

    def __init__(self, sharpness: float = 1.0) -> None:
        super().__init__()
        self.sharpness = sharpness

    def forward(self, features: Tensor) -> Tensor:
        """Feature maps (N, K, H, W) -> keypoints (N, K, 3): u, v in [-1, 1] (eq. 1), confidence in [0, 1] (eq. 2)."""
        position = centroids(spatial_softmax(features, self.sharpness))
        return torch.cat([position, confidences(features)[..., None]], dim=-1)
