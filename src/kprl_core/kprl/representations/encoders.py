"""Encoders without keypoints: images to 2K numbers, the size of what the policy sees of K keypoints (III-C1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kprl.keypoints.compact import CompactTrunk
from kprl.keypoints.dense_unet import DenseTrunk, transition
from kprl.representations.resnet18 import ResNet18

VALUES = 2  # numbers in place of one keypoint
CELLS = 8  # features before the linear layer, each way: the U-Net's coarsest
THINNED = 16  # channels before the linear layer; without thinning it would outweigh the network before it
# Mean and deviation of ImageNet's images, which torchvision's weights expect.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class LatentEncoder(nn.Module):
    """Images (N, 1, 64, 64) in [0, 1] -> latent (N, K, 2): a keypoint encoder's contracting half and a linear layer."""

    def __init__(self, trunk: DenseTrunk | CompactTrunk, num_keypoints: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.thin = transition(trunk.channels, THINNED)
        self.pool = nn.AvgPool2d(trunk.cells // CELLS)
        self.latent = nn.Linear(THINNED * CELLS**2, VALUES * num_keypoints)

    def features(self, images: Tensor) -> Tensor:
        """Images (N, 1, 64, 64) -> (N, THINNED * CELLS^2)."""
        return self.pool(self.thin(self.trunk(images))).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, 64, 64) -> latent (N, K, 2)."""
        return in_pairs(self.latent(self.features(images)))


class VariationalEncoder(LatentEncoder):
    """Forward gives the mean (N, K, 2) of the latent's distribution; this is exported."""

    def __init__(self, trunk: DenseTrunk | CompactTrunk, num_keypoints: int) -> None:
        super().__init__(trunk, num_keypoints)
        self.log_variance = nn.Linear(self.latent.in_features, self.latent.out_features)

    def distribution(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance, each (N, K, 2), float32."""
        features = self.features(images)
        return in_pairs(self.latent(features)).float(), in_pairs(self.log_variance(features)).float()


class ResNetEncoder(nn.Module):
    """Images (N, 1, 64, 64) in [0, 1] -> latent (N, K, 2) from a ResNet-18 whose last layer is new.

    The images keep their 64x64 pixels, as in every other encoder here; ImageNet's have 224x224.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, num_keypoints: int) -> None:
        super().__init__()
        self.resnet = ResNet18(VALUES * num_keypoints)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, 64, 64) in [0, 1] -> latent (N, K, 2)."""
        # Grey minus the colours' means broadcasts to three channels.
        return in_pairs(self.resnet((images - self.mean) / self.deviation))


def in_pairs(latent: Tensor) -> Tensor:
    """(N, 2K) -> (N, K, 2)."""
    return latent.unflatten(1, (-1, VALUES))
