"""Domain randomization: what one world looks and feels like; every draw comes from the generator that is passed in.

Section III-C1: "we randomize the camera positions and angle within a small range", and domain randomization [37].
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from kprl.control.limits import TICK
from kprl.errors import KprlError
from kprl.sim.bullet import Light
from kprl.sim.camera import CameraPose
from kprl.sim.config_files import Range
from kprl.sim.ranges import Ranges, SurfaceRanges
from kprl.sim.sensor import Sensor
from kprl.sim.texture import PLAIN, Texture, draw_texture

Vec = tuple[float, float, float]
# Shortest and longest wave [m] of the textures: from details of a small thing to the grain of a floor.
TABLE_WAVES, FLOOR_WAVES, TARGET_WAVES = (0.015, 0.3), (0.05, 1.0), (0.008, 0.05)


@dataclass(frozen=True)
class Surface:
    """Grey level, 0 black to 1 white, and texture."""

    grey: float
    texture: Texture = PLAIN


@dataclass(frozen=True)
class Dynamics:
    """Contacts, and how the arm follows what is commanded."""

    friction: float
    table_friction: float
    mass: float  # times the object's own
    control_delay: int  # [ticks] of the arm's controller
    velocity_gain: float


@dataclass(frozen=True)
class Appearance:
    """One draw: what a world looks and feels like for an episode."""

    camera: CameraPose
    light: Light
    table: Surface
    floor: Surface
    target: Surface
    robot: float  # grey levels
    gripper: float
    distractors: tuple[Surface, ...]
    table_pose: Vec  # [m], [m], [rad] shift along x and y, and yaw, from where the scene has it
    sensor: Sensor
    dynamics: Dynamics


def draw(ranges: Ranges, rng: np.random.Generator, distractors: int = 0, table_pattern: float = 1.0) -> Appearance:
    """Draw the appearance of one world; `table_pattern` scales the contrast of the table's texture."""
    surfaces, dynamics = ranges.surfaces, ranges.dynamics
    camera, light = _draw_camera(ranges, rng), _draw_light(ranges, rng)
    table = _uniform(surfaces.table, rng)
    target = _contrasting(surfaces, table, rng)
    greys = [_uniform(surfaces.distractor, rng) for _ in range(distractors)]
    return Appearance(
        camera=camera,
        light=light,
        table=Surface(table, _draw_pattern(surfaces, TABLE_WAVES, table_pattern, rng)),
        floor=Surface(_uniform(surfaces.floor, rng), _draw_pattern(surfaces, FLOOR_WAVES, 1.0, rng)),
        target=Surface(target, _draw_pattern(surfaces, TARGET_WAVES, 1.0, rng)),
        robot=_uniform(surfaces.robot, rng),
        gripper=_uniform(surfaces.gripper, rng),
        distractors=tuple(Surface(grey, _draw_pattern(surfaces, TARGET_WAVES, 1.0, rng)) for grey in greys),
        table_pose=_draw_table_pose(ranges, rng),
        sensor=Sensor(**{f.name: _uniform(getattr(ranges.sensor, f.name), rng) for f in fields(ranges.sensor)}),
        dynamics=Dynamics(
            friction=_uniform(dynamics.friction, rng),
            table_friction=_uniform(dynamics.table_friction, rng),
            mass=_uniform(dynamics.mass, rng),
            control_delay=round(_uniform(dynamics.control_delay, rng) / TICK),
            velocity_gain=_uniform(dynamics.velocity_gain, rng),
        ),
    )


def _uniform(bounds: Range, rng: np.random.Generator) -> float:
    return float(rng.uniform(*bounds))


def _draw_camera(ranges: Ranges, rng: np.random.Generator) -> CameraPose:
    camera, base = ranges.camera, CameraPose()
    x, y, z = (centre + _uniform(camera.shift, rng) for centre in base.target)
    return CameraPose(
        target=(x, y, z),
        distance=_uniform(camera.distance, rng),
        pitch=_uniform(camera.pitch, rng),
        azimuth=_uniform(camera.azimuth, rng),
        roll=_uniform(camera.roll, rng),
        field_of_view=_uniform(camera.field_of_view, rng),
        distortion=_uniform(camera.distortion, rng),
    )


def _draw_light(ranges: Ranges, rng: np.random.Generator) -> Light:
    light = ranges.light
    level = _uniform(light.colour, rng)
    return Light(
        (_uniform(light.x, rng), _uniform(light.y, rng), _uniform(light.z, rng)),
        (level, level, level),
        _uniform(light.ambient, rng),
        _uniform(light.diffuse, rng),
        _uniform(light.specular, rng),
        bool(rng.random() < light.shadow_share),
    )


def _draw_table_pose(ranges: Ranges, rng: np.random.Generator) -> Vec:
    shift = ranges.table.shift
    return _uniform(shift, rng), _uniform(shift, rng), _uniform(ranges.table.yaw, rng)


def _draw_pattern(surfaces: SurfaceRanges, waves: Range, scale: float, rng: np.random.Generator) -> Texture:
    contrast = scale * _uniform(surfaces.contrast, rng)
    texture = draw_texture(contrast, _uniform(surfaces.sharpness, rng), waves, rng)
    return texture if rng.random() < surfaces.pattern_share else PLAIN


def _contrasting(surfaces: SurfaceRanges, table: float, rng: np.random.Generator) -> float:
    """A grey for the target that differs from the table's: drawn from what the range leaves below and above."""
    low, high = surfaces.target
    contrast = surfaces.target_contrast
    sides = (low, min(high, table - contrast)), (max(low, table + contrast), high)
    parts = [side for side in sides if side[0] <= side[1]]
    if not parts:
        raise KprlError(
            f"no grey of the target within {low} to {high} differs by {contrast} from a table of "
            f"{table:.2f}: widen surfaces.target or lower surfaces.target_contrast"
        )
    at = rng.uniform(0.0, sum(end - begin for begin, end in parts))
    begin, end = parts[0]
    return float(begin + at if at <= end - begin else parts[-1][0] + at - (end - begin))
