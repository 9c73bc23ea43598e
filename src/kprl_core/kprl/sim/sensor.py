"""The camera's sensor: what it makes of the light, and which of its frames arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

LEAST_BLUR = 0.1  # [px] below which blur is none
NOISE_FRAMES = 32  # size of the pool that noise is taken from: at any of 130,000 places
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Sensor:
    """One infrared sensor; the defaults are a perfect one."""

    gain: float = 1.0
    gamma: float = 1.0
    noise: float = 0.0  # standard deviation, share of full scale
    blur: float = 0.0  # [px] standard deviation
    vignette: float = 0.0  # share of the light that the corners lose
    dropped_share: float = 0.0  # of the frames that never arrive
    late_share: float = 0.0  # of the frames that arrive one control period late
    _curve: npt.NDArray[np.float32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        levels = np.linspace(0.0, 1.0, 256) ** self.gamma * (255.0 * self.gain)
        object.__setattr__(self, "_curve", levels.astype(np.float32))

    def develop(self, light: Image, rng: np.random.Generator) -> Image:
        """What the sensor makes of the light (H, W): gamma and gain, blur, vignette, noise, and 8 bits."""
        image: npt.NDArray[Any] = cv2.LUT(light, self._curve)
        if self.blur > LEAST_BLUR:
            image = cv2.GaussianBlur(image, (3, 3), self.blur)
        if self.vignette:
            image *= _falloff(image.shape[0], image.shape[1], self.vignette)
        noise = _white_noise(image.shape, rng) if self.noise else image
        # One call that adds, rounds, and stays within 0 and 255.
        return cv2.addWeighted(image, 1.0, noise, 255.0 * self.noise, 0.0, dtype=cv2.CV_8U)  # type: ignore[return-value]


class FrameStream:
    """Delivers frames as they arrive: in place of a dropped one the last is seen again, a late one is a period old."""

    def __init__(self, sensor: Sensor, first: Image) -> None:
        self._sensor = sensor
        self._made, self._seen = first, first

    @property
    def last(self) -> Image:
        """What was seen last."""
        return self._seen

    def deliver(self, frame: Image, rng: np.random.Generator) -> Image:
        """What is seen in the period in which `frame` was taken; an array of its own each time."""
        chance, before = rng.random(), self._made
        self._made = frame
        if chance < self._sensor.dropped_share:
            return self._seen.copy()
        late = chance < self._sensor.dropped_share + self._sensor.late_share
        self._seen = before if late else frame
        return self._seen.copy()


@lru_cache(maxsize=4)  # a world asks for the same one for a whole episode
def _falloff(rows: int, columns: int, vignette: float) -> npt.NDArray[np.float32]:
    """Share of the light (H, W) that reaches each pixel: 1 in the middle, less with the square of the radius."""
    y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)[None, :]
    return (1.0 - vignette * (x * x + y * y) / 2.0).astype(np.float32)


@lru_cache(maxsize=1)
def _noise_pool(pixels: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(NOISE_FRAMES * pixels, np.float32)


def _white_noise(shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Standard normal noise (H, W), a random piece of a fixed pool: drawing it anew costs more than all the rest."""
    pixels = shape[0] * shape[1]
    pool = _noise_pool(pixels)
    start = int(rng.integers(len(pool) - pixels))
    return pool[start : start + pixels].reshape(shape)
