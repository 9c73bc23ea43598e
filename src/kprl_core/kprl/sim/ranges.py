"""The ranges of domain randomization, one YAML file each in config/world: `train`, `shifted`, `workcell`, `none`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kprl.errors import require_choice
from kprl.sim.config_files import FOLDER, Range, build, read_yaml

RANDOMIZATIONS = ("train", "shifted", "workcell", "none")
# config/world/train.yaml says of each value what it is, and its unit.


@dataclass(frozen=True)
class CameraRanges:
    """Where the camera stands and how its lens draws."""

    shift: Range
    distance: Range
    pitch: Range
    azimuth: Range
    roll: Range
    field_of_view: Range
    distortion: Range


@dataclass(frozen=True)
class LightRanges:
    """The light's direction and strength."""

    x: Range
    y: Range
    z: Range
    colour: Range
    ambient: Range
    diffuse: Range
    specular: Range
    shadow_share: float


@dataclass(frozen=True)
class SurfaceRanges:
    """Grey levels and textures."""

    table: Range
    floor: Range
    robot: Range
    gripper: Range
    target: Range
    distractor: Range
    target_contrast: float
    pattern_share: float
    contrast: Range
    sharpness: Range


@dataclass(frozen=True)
class TableRanges:
    """How the table stands."""

    shift: Range
    yaw: Range


@dataclass(frozen=True)
class SensorRanges:
    """The sensor and its frames; the fields of `kprl.sim.sensor.Sensor`."""

    gain: Range
    gamma: Range
    noise: Range
    blur: Range
    vignette: Range
    dropped_share: Range
    late_share: Range


@dataclass(frozen=True)
class DynamicsRanges:
    """Contacts, and how the arm follows."""

    friction: Range
    table_friction: Range
    mass: Range
    control_delay: Range
    velocity_gain: Range


@dataclass(frozen=True)
class Ranges:
    """All that a world draws."""

    camera: CameraRanges
    light: LightRanges
    surfaces: SurfaceRanges
    table: TableRanges
    sensor: SensorRanges
    dynamics: DynamicsRanges


def ranges_file(name: str) -> Path:
    """The file of a randomization; KprlError names the choices."""
    return FOLDER / f"{require_choice('randomization', name, RANDOMIZATIONS)}.yaml"


def read_ranges(name: str) -> Ranges:
    """The ranges of a randomization; KprlError names the choices, or what is wrong in the file."""
    path = ranges_file(name)
    return build(Ranges, read_yaml(path), str(path))
