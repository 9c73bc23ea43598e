"""Training presets in one table: the paper's setting, two that suit a CPU, and two for a GPU."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from kprl.keypoints.adversarial import Attack

Range = tuple[float, float]
"""Value at the start and at the end of training; linear in between."""


@dataclass(frozen=True)
class LossWeights:
    """Factors of the losses in their sum."""

    depth: float = 1.0
    segmentation: float = 1.0
    proximity: float = 1.0  # C_px
    background: float = 1.0  # C_bg
    equivariance: float = 1.0  # C_eq


@dataclass(frozen=True)
class Preset:
    """Hyperparameters of one way to train keypoints."""

    encoder: str  # a key of model.ENCODERS
    decoder: str  # a key of model.DECODERS
    images: int  # data set size that the preset is meant for
    encoder_options: dict[str, Any] = field(default_factory=dict)
    decoder_options: dict[str, Any] = field(default_factory=dict)
    sharpness: float = 1.0  # factor on the features before the softmax of eq. (1)
    assigned: bool = False  # half of the keypoints on the target, half on the gripper in C_bg
    proximity_sharpness: float = 20.0  # reach of C_px, see losses.proximity_loss
    weights: LossWeights = LossWeights()
    gaussian: Range = (0.1, 0.25)  # sharpness of the decoder's maps [1/cell^2]
    hardest: Range = (1.0, 0.3)  # share of the cells that count in the segmentation loss
    equivariance_share: float = 1.0  # share of a batch on which C_eq is taken
    batch_size: int = 64
    learning_rate: float = 1e-3
    amsgrad: bool = False
    one_cycle: bool = False  # short warm-up, then cosine to zero; otherwise constant
    augment: bool = False  # photometric augmentation on the fly
    attack: Attack | None = None  # adversarial examples beside the clean ones
    epochs: int | None = None  # length of the training, or
    steps: int | None = None  # the same in updates, or
    minutes: float | None = None  # its wall-clock budget

    def architecture(self, num_keypoints: int) -> dict[str, Any]:
        """Arguments of `model.Autoencoder`."""
        return {
            "encoder": self.encoder,
            "encoder_options": self.encoder_options,
            "decoder": self.decoder,
            "decoder_options": self.decoder_options,
            "num_keypoints": num_keypoints,
            "sharpness": self.sharpness,
        }


CPU = Preset(
    encoder="compact",
    encoder_options={"channels": 64},
    decoder="shallow",
    images=50_000,
    sharpness=6.0,
    assigned=True,
    proximity_sharpness=150.0,
    equivariance_share=0.25,
    learning_rate=3e-3,
    one_cycle=True,
    augment=True,
    steps=12_000,
)
PRESETS: dict[str, Preset] = {
    # III-C1: batch 64, 16 epochs, Adam 1e-3, 50,000 images; 0.91 M + 0.09 M parameters.
    "paper": Preset(
        encoder="dense_unet",
        encoder_options={"growth": 24, "blocks": (3, 4, 4)},
        decoder="dense",
        decoder_options={"growth": 24, "layers": 4},
        images=50_000,
        amsgrad=True,
        attack=Attack(),  # AdvProp's
        epochs=16,
    ),
    "cpu": CPU,
    # The network of `cpu`, which a robot's CPU runs at camera rate, from four times the images a step. With C_px in
    # full, keypoints on the target give up their confidence after a million images, and for good.
    "gpu": replace(CPU, weights=LossWeights(proximity=0.25), batch_size=256, steps=15_000),
    # Half as wide again, for scenes with clutter. With features times 6, confidences were given up even so.
    "large": replace(
        CPU,
        encoder_options={"channels": 96},
        sharpness=1.0,
        weights=LossWeights(proximity=0.25),
        equivariance_share=1.0,
        batch_size=256,
        steps=20_000,
    ),
    "quick": replace(CPU, encoder_options={"channels": 48}, images=12_000, steps=None, minutes=4.0),
}
