"""A small encoder for CPUs: all of its work is done at 16x16, where a convolution costs a sixteenth."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from kprl.preprocess import IMAGE_SIZE

STRIDE = 4  # image pixels a cell at 16x16, each way
DILATIONS = (1, 2, 4, 1)


class CompactTrunk(nn.Module):
    """All but the head: images (N, 1, 64, 64) -> features (N, `channels`, `cells`, `cells`).

    Space-to-depth keeps all 4x4 pixels of a cell as channels, so no position is lost; dilated residual layers widen
    the view.
    """

    def __init__(self, channels: int = 48, dilations: tuple[int, ...] = DILATIONS) -> None:
        super().__init__()
        self.channels, self.cells = channels, IMAGE_SIZE // STRIDE
        self.stem = nn.Conv2d(STRIDE * STRIDE, channels, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels)
        self.layers = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=d, dilation=d, bias=False) for d in dilations
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in dilations)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, 64, 64) -> features (N, C, 16, 16)."""
        x = F.relu(self.stem_norm(self.stem(F.pixel_unshuffle(images, STRIDE))))  # (N, C, 16, 16)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + F.relu(norm(layer(x)))
        return x


class CompactEncoder(CompactTrunk):
    """Images (N, 1, 64, 64) -> feature maps (N, K, 32, 32): a pixel shuffle lifts the trunk's features to 32x32."""

    def __init__(self, num_keypoints: int, channels: int = 48, dilations: tuple[int, ...] = DILATIONS) -> None:
        super().__init__(channels, dilations)
        self.head = nn.Conv2d(channels, 4 * num_keypoints, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, 64, 64) -> feature maps (N, K, 32, 32)."""
        return F.pixel_shuffle(self.head(super().forward(images)), 2)  # (N, K, 32, 32)
