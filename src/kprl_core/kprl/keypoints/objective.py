"""What keypoint training minimises: all losses of one batch, from one pass through encoder and decoder."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from kprl.keypoints import losses
from kprl.keypoints.decoder import gaussian_maps
from kprl.keypoints.layer import centroids, confidences, spatial_softmax
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.presets import Preset, Range
from kprl.keypoints.rotation import rotate_in_groups
from kprl.keypoints.targets import Batch


class Objective(Protocol):
    """What `Trainer` trains: a torch module whose forward gives the losses of a batch."""

    weights: dict[str, float]  # factor of each loss in the sum
    values: int  # numbers a keypoint: 3 of keypoints, 2 of latent codes, whose pairs of numbers stand in their place

    @property
    def encoder(self) -> nn.Module:
        """What is exported: images (N, 1, 64, 64) -> (N, K, values)."""

    @property
    def model(self) -> nn.Module:
        """What is saved."""

    @property
    def architecture(self) -> dict[str, Any]:
        """JSON values that rebuild `model`."""

    def __call__(self, batch: Batch, share: float, noise: torch.Generator) -> dict[str, Tensor]:
        """Each loss (), by name; `share` of the training that is over, `noise` the step's own source of chance."""

    def reconstruct(self, images: Tensor) -> dict[str, Tensor]:
        """What the decoder makes of images (N, 1, 64, 64), as far as it does.

        depth (N, 1, 32, 32) normalised, shares (N, 3, 32, 32) of the classes, images (N, 1, 64, 64).
        """


class KeypointObjective(nn.Module):
    """Reconstruction of depth and classes, C_px, C_bg and C_eq (paper, III-A)."""

    def __init__(self, preset: Preset, num_keypoints: int) -> None:
        super().__init__()
        self.preset, self.num_keypoints, self.values = preset, num_keypoints, 3
        self.weights = asdict(preset.weights)
        self.architecture = preset.architecture(num_keypoints)
        self.model = Autoencoder(self.architecture)

    @property
    def encoder(self) -> nn.Module:
        """Images (N, 1, 64, 64) -> keypoints (N, K, 3)."""
        return self.model.encoder

    def forward(self, batch: Batch, share: float, noise: torch.Generator) -> dict[str, Tensor]:
        """Each loss (), by the names of `presets.LossWeights`."""
        preset, n = self.preset, len(batch.images)
        turned = batch.images[: max(3, int(preset.equivariance_share * n))]
        both = torch.cat([batch.images, rotate_in_groups(turned)])
        features = self.model.encoder.features(both).float()
        # Positions need more digits than a half-precision matrix product keeps.
        with torch.autocast(features.device.type, enabled=False):
            maps = spatial_softmax(features, preset.sharpness)
            keypoints = torch.cat([centroids(maps[:n]), confidences(features[:n])[..., None]], dim=-1)
            drawn = gaussian_maps(keypoints, between(preset.gaussian, share))
            equivariance = losses.equivariance_loss(rotate_in_groups(maps[: len(turned)]), maps[n:])
        predicted_depth, logits = self.model.decoder(drawn)
        if preset.assigned:
            allowed = losses.assigned_foreground(batch.shares, self.num_keypoints)
        else:
            allowed = losses.foreground(batch.shares)
        return {
            "depth": losses.depth_loss(predicted_depth.float(), batch.depth),
            "segmentation": losses.segmentation_loss(logits.float(), batch.shares, between(preset.hardest, share)),
            "proximity": losses.proximity_loss(keypoints, preset.proximity_sharpness),
            "background": losses.background_loss(maps[:n], allowed),
            "equivariance": equivariance,
        }

    def reconstruct(self, images: Tensor) -> dict[str, Tensor]:
        """Depth and class shares from the keypoints of `images`, as at the end of the training."""
        depth, logits = self.model.decoder(gaussian_maps(self.encoder(images), self.preset.gaussian[1]))
        return {"depth": depth, "shares": logits.softmax(dim=1)}


def total(objective: Objective, terms: dict[str, Tensor]) -> Tensor:
    """The weighted sum () of the losses."""
    return torch.stack([objective.weights[name] * term for name, term in terms.items()]).sum()


def between(bounds: Range, share: float) -> float:
    """Linear interpolation from bounds[0] at share 0 to bounds[1] at share 1."""
    return bounds[0] + (bounds[1] - bounds[0]) * share
