"""Settings of one keypoint training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kprl.device import DEVICES
from kprl.errors import KprlError, require_choice
from kprl.keypoints.compute import PRECISIONS
from kprl.keypoints.presets import PRESETS, Preset
from kprl.keypoints.variants import VARIANTS


@dataclass(frozen=True)
class TrainConfig:
    """The length is `steps` if given, else `minutes`, else the preset's.

    With `steps` the result depends on the seed, the data and the machine's arithmetic alone; with a wall-clock budget
    it also depends on the machine's speed.
    """

    data: Path
    out: Path
    preset: str = "quick"
    num_keypoints: int = 12
    seed: int = 0
    minutes: float | None = None
    steps: int | None = None
    threads: int = 2
    device: str = "auto"
    precision: str = "auto"
    variant: str = "none"  # a change to the preset, for ablations

    def __post_init__(self) -> None:
        require_choice("preset", self.preset, list(PRESETS))
        require_choice("device", self.device, DEVICES)
        require_choice("precision", self.precision, PRECISIONS)
        require_choice("variant", self.variant, list(VARIANTS))
        for name, least in (("num_keypoints", 2), ("seed", 0), ("steps", 1), ("threads", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise KprlError(f"{name} is {value}: expected at least {least}")
        if self.minutes is not None and not self.minutes > 0:
            raise KprlError(f"minutes is {self.minutes}: expected more than 0")

    def hyperparameters(self) -> Preset:
        """The preset with the variant's change."""
        return VARIANTS[self.variant](PRESETS[self.preset])
