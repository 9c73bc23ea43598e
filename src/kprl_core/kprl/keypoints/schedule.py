"""How far a training is, by steps or by the clock, and the learning rate at that point."""

from __future__ import annotations

import math
import time

from kprl.keypoints.presets import Preset
from kprl.keypoints.train_config import TrainConfig

WARM_UP = 0.1  # share of the training in which the learning rate rises, if one_cycle


class Schedule:
    """`images`: how many there are to train on; `seconds`: spent before this process began."""

    def __init__(self, config: TrainConfig, preset: Preset, images: int, seconds: float = 0.0) -> None:
        self.steps, minutes = config.steps, config.minutes
        if self.steps is None and minutes is None:
            minutes = preset.minutes
            self.steps = preset.steps
            if preset.epochs is not None:
                self.steps = max(1, preset.epochs * images // preset.batch_size)
        self.budget = None if minutes is None else 60.0 * minutes  # [s]
        self._began = time.monotonic() - seconds

    def elapsed(self) -> float:
        """Seconds of training so far."""
        return time.monotonic() - self._began

    def progress(self, step: int) -> float:
        """Share of the training that is over when `step` steps are done."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.budget is not None
        return min(1.0, self.elapsed() / self.budget)


def learning_rate(preset: Preset, share: float) -> float:
    """Constant, or a linear rise and a cosine to zero."""
    if not preset.one_cycle:
        return preset.learning_rate
    rise = min(1.0, (share + 1e-3) / WARM_UP)
    fall = 0.5 * (1.0 + math.cos(math.pi * max(0.0, (share - WARM_UP) / (1.0 - WARM_UP))))
    return preset.learning_rate * rise * fall
