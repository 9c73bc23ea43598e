"""Changes to a preset, by name: what an ablation compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kprl.keypoints.adversarial import Attack
from kprl.keypoints.presets import LossWeights, Preset

Change = Callable[[Preset], Preset]


def _without(loss: str) -> Change:
    def change(preset: Preset) -> Preset:
        weights: LossWeights = replace(preset.weights, **{loss: 0.0})
        return replace(preset, weights=weights)

    return change


LOSS_VARIANTS: dict[str, Change] = {
    f"no_{loss}": _without(loss) for loss in ("depth", "segmentation", "proximity", "background", "equivariance")
}
VARIANTS: dict[str, Change] = {
    "none": lambda preset: preset,
    **LOSS_VARIANTS,
    "no_augment": lambda preset: replace(preset, augment=False),
    "no_attack": lambda preset: replace(preset, attack=None),
    "attack": lambda preset: replace(preset, attack=Attack(iterations=1, step=4 / 255, share=0.25)),
    # What the paper does where a preset departs from it:
    "paper_equivariance": lambda preset: replace(preset, equivariance_share=1.0),
    "paper_sharpness": lambda preset: replace(preset, sharpness=1.0),
    "paper_background": lambda preset: replace(preset, assigned=False),
    "paper_proximity": lambda preset: replace(preset, proximity_sharpness=20.0),
    "paper_schedule": lambda preset: replace(preset, learning_rate=1e-3, one_cycle=False),
}
