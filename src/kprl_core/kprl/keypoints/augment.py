"""Photometric augmentation: a real camera's exposure, contrast, noise and focus are not the renderer's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

GAIN = 0.25  # half range of the brightness factor
GAMMA = 0.3  # half range of the logarithm of the exponent
OFFSET = 0.08  # half range of the added grey level
NOISE = 0.03  # largest standard deviation of the pixel noise
BLURRED_SHARE = 0.3  # of the images of a batch

BLUR = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]])[None, None] / 16.0


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Vary gain, gamma, offset, noise and blur of images (N, 1, 64, 64) in [0, 1], each image on its own.

    `generator`: of the images' device.
    """
    n, device = len(images), images.device

    def uniform(half_range: float) -> Tensor:
        return half_range * (torch.rand(n, 1, 1, 1, generator=generator, device=device) * 2.0 - 1.0)

    out = images.clamp(1e-3, 1.0) ** torch.exp(uniform(GAMMA))
    out = out * (1.0 + uniform(GAIN)) + uniform(OFFSET)
    blurred = int(BLURRED_SHARE * n)
    if blurred:
        # Not the first ones of the batch: those are also the ones of C_eq and of an attack.
        chosen = torch.randperm(n, generator=generator, device=device)[:blurred]
        padded = F.pad(out[chosen], (1, 1, 1, 1), mode="replicate")
        out = out.index_copy(0, chosen, F.conv2d(padded, BLUR.to(device)))
    noise = torch.randn(out.shape, generator=generator, device=device)
    return (out + uniform(NOISE).abs() * noise).clamp(0.0, 1.0)
