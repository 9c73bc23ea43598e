"""From the latent back to pictures."""

from __future__ import annotations

from torch import Tensor, nn

from kprl.representations.encoders import CELLS, VALUES

LIFT_CHANNELS = 64  # ae then has 0.5 (paper) to 2.6 (quick) times the keypoint model's parameters


class LatentDecoder(nn.Module):
    """Latent (N, K, 2) -> depth (N, 1, 32, 32) and class logits (N, 3, 32, 32).

    `decoder` is a keypoint model's (K maps in); a learnt lift from 8x8 to 32x32 cells takes the place of the drawn
    Gaussians, so that a latent and keypoints differ in the bottleneck and in nothing behind it.
    """

    def __init__(self, decoder: nn.Module, num_keypoints: int) -> None:
        super().__init__()
        channels = LIFT_CHANNELS
        self.lift = nn.Sequential(
            nn.Linear(VALUES * num_keypoints, channels * CELLS**2),
            nn.Unflatten(1, (channels, CELLS, CELLS)),
            nn.BatchNorm2d(channels),
            nn.SiLU(),
            nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels // 2),
            nn.SiLU(),
            nn.ConvTranspose2d(channels // 2, num_keypoints, 4, stride=2, padding=1),
        )
        self.decoder = decoder

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Latent (N, K, 2) -> depth (N, 1, 32, 32) and class logits (N, 3, 32, 32)."""
        depth, logits = self.decoder(self.lift(latent.flatten(1)))
        return depth, logits
