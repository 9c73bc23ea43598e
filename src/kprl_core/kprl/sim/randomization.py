"""Domain randomization: every range is data, every draw comes from the generator that is passed in.

Section III-C: "we randomize the camera positions and angle within a small range", and domain randomization [37].
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from kprl.sim.bullet import Light
from kprl.sim.camera import CameraPose

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """Uniform ranges; a nominal world takes the middle of each."""

    camera_shift: float = 0.006  # [m] of the point looked at, each axis, either way
    camera_distance: Range = (0.63, 0.65)  # [m]
    camera_pitch: Range = (44.0, 46.0)  # [deg]
    camera_azimuth: Range = (-1.0, 1.0)  # [deg]
    camera_roll: Range = (-1.0, 1.0)  # [deg]
    field_of_view: Range = (35.5, 36.5)  # [deg]
    light_direction: tuple[Range, Range, Range] = ((-1.0, 1.5), (-1.5, 1.5), (1.0, 2.5))
    light_colour: Range = (0.8, 1.0)
    ambient: Range = (0.45, 0.75)
    diffuse: Range = (0.3, 0.6)
    specular: Range = (0.0, 0.2)
    shadow_share: float = 0.5  # of the worlds that have shadows
    table: Range = (0.25, 0.85)  # grey levels
    floor: Range = (0.1, 0.7)
    robot: Range = (0.3, 0.8)
    gripper: Range = (0.05, 0.4)
    target: Range = (0.05, 1.0)
    target_contrast: float = 0.15  # least difference of grey between target and table
    gain: Range = (0.8, 1.2)
    gamma: Range = (0.85, 1.18)
    noise: Range = (0.0, 0.02)  # standard deviation, share of full scale
    blur: Range = (0.0, 0.7)  # [px] standard deviation
    friction: Range = (0.6, 1.1)
    mass_scale: Range = (0.7, 1.4)


@dataclass(frozen=True)
class Appearance:
    """One draw: what a world looks and feels like for an episode."""

    camera: CameraPose
    light: Light
    greys: dict[str, float]
    gain: float
    gamma: float
    noise: float
    blur: float
    friction: float
    mass_scale: float
    _curve: npt.NDArray[np.uint8] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        levels = np.linspace(0.0, 1.0, 256) ** self.gamma * self.gain
        object.__setattr__(self, "_curve", np.clip(255.0 * levels, 0, 255).astype(np.uint8))

    def develop(self, grey: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """What the sensor makes of a clean picture (H, W) uint8: blur, gain, gamma, noise."""
        image = self._curve[grey]
        if self.blur > 0.1:
            image = np.asarray(cv2.GaussianBlur(image, (3, 3), self.blur), dtype=np.uint8)
        noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(255.0 * self.noise)
        return np.clip(image + noise + np.float32(0.5), 0, 255).astype(np.uint8)


def _middle(bounds: Range) -> float:
    return 0.5 * (bounds[0] + bounds[1])


def nominal(ranges: Ranges) -> Appearance:
    """The world without randomization."""
    light = Light((0.5, 0.3, 1.5), (1.0, 1.0, 1.0), _middle(ranges.ambient), _middle(ranges.diffuse), 0.05, True)
    greys = {"table": 0.6, "floor": 0.35, "robot": 0.6, "gripper": 0.2, "target": 0.9}
    return Appearance(CameraPose(), light, greys, 1.0, 1.0, 0.0, 0.0, _middle(ranges.friction), 1.0)


def draw(ranges: Ranges, rng: np.random.Generator) -> Appearance:
    """Draw the appearance of one world."""

    def uniform(bounds: Range) -> float:
        return float(rng.uniform(*bounds))

    base = CameraPose()
    shift = rng.uniform(-ranges.camera_shift, ranges.camera_shift, 3)
    camera = CameraPose(
        target=(base.target[0] + shift[0], base.target[1] + shift[1], base.target[2] + shift[2]),
        distance=uniform(ranges.camera_distance),
        pitch=uniform(ranges.camera_pitch),
        azimuth=uniform(ranges.camera_azimuth),
        roll=uniform(ranges.camera_roll),
        field_of_view=uniform(ranges.field_of_view),
    )
    level = uniform(ranges.light_colour)
    x, y, z = ranges.light_direction
    light = Light(
        (uniform(x), uniform(y), uniform(z)),
        (level, level, level),
        uniform(ranges.ambient),
        uniform(ranges.diffuse),
        uniform(ranges.specular),
        bool(rng.random() < ranges.shadow_share),
    )
    greys = {name: uniform(getattr(ranges, name)) for name in ("table", "floor", "robot", "gripper")}
    greys["target"] = _contrasting(ranges, greys["table"], rng)
    return Appearance(
        camera, light, greys, uniform(ranges.gain), uniform(ranges.gamma), uniform(ranges.noise), uniform(ranges.blur),
        uniform(ranges.friction), uniform(ranges.mass_scale),
    )  # fmt: skip


def _contrasting(ranges: Ranges, table: float, rng: np.random.Generator) -> float:
    """A grey for the target that differs from the table's: drawn from what the range leaves below and above."""
    low, high = ranges.target
    below = max(table - ranges.target_contrast - low, 0.0)
    above = max(high - table - ranges.target_contrast, 0.0)
    at = rng.uniform(0.0, below + above)
    return float(low + at if at < below else high - (at - below))
