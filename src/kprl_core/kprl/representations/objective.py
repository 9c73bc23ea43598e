"""What the training of an autoencoder without keypoints minimises."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kprl.errors import require_choice
from kprl.keypoints.decoder import MAP_SIZE
from kprl.keypoints.losses import depth_loss, segmentation_loss
from kprl.keypoints.objective import between
from kprl.keypoints.presets import Preset
from kprl.keypoints.targets import Batch
from kprl.preprocess import IMAGE_SIZE
from kprl.representations.encoders import VALUES, VariationalEncoder
from kprl.representations.model import LatentAutoencoder

RECONSTRUCTIONS = ("image", "truth")
RESIDUAL = 0.07  # of grey in [0, 1]: rms error that 800 steps of ae in preset cpu leave on unseen images
KL_WEIGHTS = {"image": 2.0 * RESIDUAL**2 / IMAGE_SIZE**2, "truth": 1.0 / MAP_SIZE**2}
"""By what is reconstructed. Kingma and Welling (2014, eq. 10) minimise KL - log p(x|z); both divided by what makes
-log p our reconstruction loss, a mean over cells. -log p is the sum of (x - predicted)^2 / (2 residual^2) for an image,
where the residual is meant to match what training leaves (Rybkin et al. 2021), and of cross-entropy and smooth L1 for
classes and depth. With the usual residual of 1 we expect an object of a few pixels not to be worth coding."""


class ReconstructionObjective(nn.Module):
    """AE and AE-FT: reconstruction from 2K numbers.

    The paper compares with "the same encoding network architecture (without expanding layer for keypoints)" trained on
    "the same simulation image data" (IV-B2), and does not say what is reconstructed. `image`, the default, is what an
    autoencoder is in its section II-B: a latent space of the input image. `truth`, depth and classes as for keypoints,
    tells the effect of the bottleneck apart from that of the supervision.
    """

    values: int = VALUES

    def __init__(self, preset: Preset, architecture: dict[str, Any]) -> None:
        super().__init__()
        self.preset = preset
        self.target = require_choice("reconstruct", architecture["reconstruct"], RECONSTRUCTIONS)
        self.weights = {"image": 1.0}
        if self.target == "truth":
            self.weights = {"depth": preset.weights.depth, "segmentation": preset.weights.segmentation}
        self.model = LatentAutoencoder(architecture)

    @property
    def encoder(self) -> nn.Module:
        """Images (N, 1, 64, 64) -> latent (N, K, 2)."""
        return self.model.encoder

    @property
    def architecture(self) -> dict[str, Any]:
        """Argument that rebuilds `model`."""
        return self.model.architecture

    def forward(self, batch: Batch, share: float, noise: torch.Generator) -> dict[str, Tensor]:
        """Each loss (), by the names in `weights`."""
        return self.reconstruction(self.encoder(batch.images), batch, share)

    def reconstruction(self, latent: Tensor, batch: Batch, share: float) -> dict[str, Tensor]:
        """The losses of what the decoder makes of a latent (N, K, 2)."""
        depth, logits = (part.float() for part in self.model.decoder(latent))
        if self.target == "image":
            # Detached: an adversarial image is to mislead the encoder, not to be a target out of reach.
            return {"image": F.mse_loss(as_image(depth, logits), batch.images.detach())}
        hardest = between(self.preset.hardest, share)
        return {
            "depth": depth_loss(depth, batch.depth),
            "segmentation": segmentation_loss(logits, batch.shares, hardest),
        }

    def reconstruct(self, images: Tensor) -> dict[str, Tensor]:
        """What the decoder makes of the latent of `images`; keys and shapes as in `Objective.reconstruct`."""
        depth, logits = self.model.decoder(self.encoder(images))
        if self.target == "image":
            return {"images": as_image(depth, logits)}
        return {"depth": depth, "shares": logits.softmax(dim=1)}


class VariationalObjective(ReconstructionObjective):
    """VAE: reconstruction from a sample of the latent's distribution, and the KL divergence from N(0, 1)."""

    def __init__(self, preset: Preset, architecture: dict[str, Any]) -> None:
        super().__init__(preset, architecture)
        self.weights = {**self.weights, "kl": KL_WEIGHTS[self.target]}

    def forward(self, batch: Batch, share: float, noise: torch.Generator) -> dict[str, Tensor]:
        """Each loss (), by the names in `weights`."""
        encoder = self.model.encoder
        assert isinstance(encoder, VariationalEncoder)
        mean, log_variance = encoder.distribution(batch.images)
        drawn = torch.randn(mean.shape, generator=noise, device=mean.device)
        latent = mean + torch.exp(0.5 * log_variance) * drawn
        return {**self.reconstruction(latent, batch, share), "kl": kl_divergence(mean, log_variance)}


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) [nat] of latents (N, K, 2): the sum over an image's numbers, averaged."""
    each = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)
    return each.flatten(1).sum(dim=1).mean()


def as_image(depth: Tensor, logits: Tensor) -> Tensor:
    """A decoder's four outputs a cell of 32x32, read as the 2x2 pixels of that cell: grey (N, 1, 64, 64)."""
    return F.pixel_shuffle(torch.cat([depth, logits], dim=1), IMAGE_SIZE // MAP_SIZE)
