"""Procedural textures, solid ones: a brightness for every point of space, so that any shape can carry them.

TinyRenderer samples image textures by the nearest texel, and stretches one image over each face of a box. A function
of the place has neither fault, needs no file, and costs only the pixels that show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

MAX_WAVES = 4


@dataclass(frozen=True)
class Texture:
    """Sum of plane waves, squared off by `sharpness`: one wave makes stripes, two make checks, four make blots."""

    contrast: float  # share by which it brightens and darkens; 0 is plain
    sharpness: float
    waves: Array  # (3, M) [rad/m] wave vectors in the body's frame
    phases: Array  # (M,) [rad]

    def shade(self, points: npt.NDArray[np.floating]) -> Array:
        """Factor on the brightness (...), 1 - contrast to 1 + contrast, at points (..., 3) [m] of the body's frame."""
        waves = np.tanh(self.sharpness * np.sin(points.astype(np.float32) @ self.waves + self.phases))
        factor = self.contrast / (np.tanh(self.sharpness) * len(self.phases))
        return np.asarray(1.0 + np.float32(factor) * waves.sum(axis=-1))

    def placed(self, position: npt.NDArray[np.floating], rotation: npt.NDArray[np.floating]) -> Texture:
        """The same texture in the frame in which the body lies at `position` (3,) [m] with `rotation` (3, 3)."""
        waves = rotation @ self.waves
        phases = self.phases - position @ waves
        return Texture(self.contrast, self.sharpness, waves.astype(np.float32), phases.astype(np.float32))


PLAIN = Texture(0.0, 1.0, np.zeros((3, 1), np.float32), np.zeros(1, np.float32))


def draw_texture(contrast: float, sharpness: float, scale: tuple[float, float], rng: np.random.Generator) -> Texture:
    """Draw wave vectors; `scale` [m] are the shortest and the longest wave."""
    count = int(rng.integers(1, MAX_WAVES + 1))
    directions = rng.standard_normal((3, count))
    directions[2] *= 0.3  # most surfaces are seen from above: waves along them, not through them
    lengths = np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1]), count))
    waves = directions / np.linalg.norm(directions, axis=0) * (2 * np.pi / lengths)
    return Texture(contrast, sharpness, waves.astype(np.float32), rng.uniform(0, 2 * np.pi, count).astype(np.float32))
