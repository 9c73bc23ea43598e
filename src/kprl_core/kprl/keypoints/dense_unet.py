"""The paper's encoder: a fully convolutional U-Net of dense blocks (III-C1, Fig. 3; structure of KOVIS)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEM_CELLS = 32  # of the stem's features, each way


class DenseLayer(nn.Module):
    """Batch norm, SiLU, 3x3 dilated convolution; appends `growth` channels to its input.

    Once the input is wide, a 1x1 convolution to 4 x growth channels comes first, as in DenseNet.
    """

    BOTTLENECK_WIDTH = 4  # x growth
    WIDE_INPUT = 5  # x growth

    def __init__(self, inputs: int, growth: int, dilation: int) -> None:
        super().__init__()
        self.squeeze: nn.Module = nn.Identity()
        width = inputs
        if inputs >= self.WIDE_INPUT * growth:
            width = self.BOTTLENECK_WIDTH * growth
            self.squeeze = nn.Sequential(nn.BatchNorm2d(inputs), nn.SiLU(), nn.Conv2d(inputs, width, 1, bias=False))
        self.norm = nn.BatchNorm2d(width)
        self.conv = nn.Conv2d(width, growth, 3, padding=dilation, dilation=dilation, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + growth, H, W): the input, and what the layer makes of it."""
        return torch.cat([x, self.conv(F.silu(self.norm(self.squeeze(x))))], dim=1)


class DenseBlock(nn.Sequential):
    """`layers` dense layers; the dilation grows 1, 2, … layers (Fig. 3)."""

    def __init__(self, inputs: int, layers: int, growth: int) -> None:
        super().__init__(*(DenseLayer(inputs + i * growth, growth, dilation=i + 1) for i in range(layers)))
        self.outputs = inputs + layers * growth


def transition(inputs: int, outputs: int) -> nn.Sequential:
    """Batch norm, SiLU and a 1x1 convolution: thins a block's channels."""
    return nn.Sequential(nn.BatchNorm2d(inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 1, bias=False))


class DenseTrunk(nn.Module):
    """The contracting half: images (N, 1, 64, 64) -> features (N, `channels`, `cells`, `cells`).

    The paper gives the input as 64 x 64 x 3 (III-C1) and says that it uses grey images only (V): three equal channels
    can tell no more than one, so there is one. A strided stem to 32x32, then dense blocks at 32, 16 and 8 cells with
    average pooling between them.

    `growth`: channels a layer adds; `blocks`: layers of each block.
    """

    def __init__(self, growth: int = 24, blocks: Sequence[int] = (3, 4, 4)) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 2 * growth, 5, stride=2, padding=2, bias=False)
        self.down, self.thin = nn.ModuleList(), nn.ModuleList()
        self.skip_channels: list[int] = []
        channels = 2 * growth
        for layers in blocks[:-1]:
            block = DenseBlock(channels, layers, growth)
            self.skip_channels.append(block.outputs)
            self.down.append(block)
            channels = block.outputs // 2
            self.thin.append(transition(block.outputs, channels))
        self.bottom = DenseBlock(channels, blocks[-1], growth)
        self.channels, self.cells = self.bottom.outputs, STEM_CELLS >> (len(blocks) - 1)

    def contract(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Features (N, `channels`, `cells`, `cells`) and the skip connections, the finest first."""
        x, skips = self.stem(images), []  # (N, 2 growth, 32, 32)
        for block, thin in zip(self.down, self.thin, strict=True):
            x = block(x)
            skips.append(x)
            x = F.avg_pool2d(thin(x), 2)
        return self.bottom(x), skips

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, 64, 64) -> features of the coarsest level."""
        return self.contract(images)[0]


class DenseUNet(DenseTrunk):
    """Images (N, 1, 64, 64) -> feature maps (N, K, 32, 32).

    After the contracting half, dense blocks back up to 32x32 with transposed convolutions and skip connections; they
    mirror `blocks`.
    """

    def __init__(self, num_keypoints: int, growth: int = 24, blocks: Sequence[int] = (3, 4, 4)) -> None:
        super().__init__(growth, blocks)
        channels = self.channels
        self.lift, self.up = nn.ModuleList(), nn.ModuleList()
        for layers, skip in zip(reversed(blocks[:-1]), reversed(self.skip_channels), strict=True):
            lifted = channels // 2
            self.lift.append(
                nn.Sequential(
                    nn.BatchNorm2d(channels),
                    nn.SiLU(),
                    nn.ConvTranspose2d(channels, lifted, 2, stride=2, bias=False),
                )
            )
            block = DenseBlock(lifted + skip, layers, growth)
            self.up.append(block)
            channels = block.outputs
        self.head = nn.Sequential(nn.BatchNorm2d(channels), nn.SiLU(), nn.Conv2d(channels, num_keypoints, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, 64, 64) -> feature maps (N, K, 32, 32)."""
        x, skips = self.contract(images)
        for lift, block in zip(self.lift, self.up, strict=True):
            x = block(torch.cat([lift(x), skips.pop()], dim=1))
        features: Tensor = self.head(x)
        return features
