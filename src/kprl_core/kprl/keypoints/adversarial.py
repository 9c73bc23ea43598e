"""Adversarial examples: images changed a little so that the training loss grows most (AdvProp [38])."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Attack:
    """Projected gradient ascent in the maximum norm. Defaults: AdvProp's, on images in [0, 1]."""

    epsilon: float = 4 / 255  # largest change of a pixel
    step: float = 1 / 255  # change in one iteration
    iterations: int = 5
    share: float = 1.0  # of a batch that is attacked


def attack_images(images: Tensor, loss: Callable[[Tensor], Tensor], attack: Attack, noise: torch.Generator) -> Tensor:
    """Images (N, 1, 64, 64) in [0, 1] near `images` with a larger `loss`, which maps images to a scalar.

    Starts at a random place within epsilon, follows the sign of the gradient, and is projected back onto the images
    within epsilon after each iteration. The result carries no gradient.
    """
    lowest, highest = (images - attack.epsilon).clamp(min=0.0), (images + attack.epsilon).clamp(max=1.0)
    start = torch.rand(images.shape, generator=noise, device=images.device) * 2.0 - 1.0
    changed = (images + attack.epsilon * start).clamp(lowest, highest)
    for _ in range(attack.iterations):
        changed.requires_grad_()
        (gradient,) = torch.autograd.grad(loss(changed), changed)
        changed = (changed.detach() + attack.step * gradient.sign()).clamp(lowest, highest)
    return changed.detach()
