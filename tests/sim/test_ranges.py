"""Domain randomization as data: what is drawn lies in the ranges, by seed; a wrong file is refused by its key."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kprl.control.limits import TICK
from kprl.errors import KprlError
from kprl.sim.config_files import build
from kprl.sim.randomization import draw
from kprl.sim.ranges import RANDOMIZATIONS, Ranges, ranges_file, read_ranges
from kprl.sim.scenes import read_scene
from kprl.sim.texture import PLAIN

FILES = {name: read_ranges(name) for name in RANDOMIZATIONS}
seeds = st.integers(0, 2**32)


def within(value: float, bounds: tuple[float, float], slack: float = 1e-9) -> bool:
    return bounds[0] - slack <= value <= bounds[1] + slack


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RANDOMIZATIONS), seeds)
def test_every_draw_lies_in_its_range(name, seed):
    ranges = FILES[name]
    drawn = draw(ranges, np.random.default_rng(seed), distractors=3)
    camera, surfaces, dynamics = ranges.camera, ranges.surfaces, ranges.dynamics
    for field in ("distance", "pitch", "azimuth", "roll", "field_of_view", "distortion"):
        assert within(getattr(drawn.camera, field), getattr(camera, field)), field
    for axis, value in zip("xyz", drawn.light.direction, strict=True):
        assert within(value, getattr(ranges.light, axis))
    for field in ("ambient", "diffuse", "specular"):
        assert within(getattr(drawn.light, field), getattr(ranges.light, field)), field
    for field in fields(ranges.sensor):
        assert within(getattr(drawn.sensor, field.name), getattr(ranges.sensor, field.name)), field.name
    for kind in ("table", "floor", "target"):
        assert within(getattr(drawn, kind).grey, getattr(surfaces, kind)), kind
    assert within(drawn.robot, surfaces.robot)
    assert within(drawn.gripper, surfaces.gripper)
    assert len(drawn.distractors) == 3
    for surface in (drawn.table, drawn.floor, drawn.target, *drawn.distractors):
        assert surface.texture is PLAIN or within(surface.texture.contrast, surfaces.contrast)
    assert abs(drawn.target.grey - drawn.table.grey) >= surfaces.target_contrast - 1e-9
    assert all(within(value, ranges.table.shift) for value in drawn.table_pose[:2])
    assert within(drawn.table_pose[2], ranges.table.yaw)
    for field in ("friction", "table_friction", "mass", "velocity_gain"):
        assert within(getattr(drawn.dynamics, field), getattr(dynamics, field)), field
    assert within(drawn.dynamics.control_delay * TICK, dynamics.control_delay, slack=TICK / 2)


def test_a_seed_decides_the_draw_and_others_differ():
    first, again, other = (draw(FILES["train"], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.camera == again.camera
    assert first.dynamics == again.dynamics
    assert first.camera != other.camera


def test_without_randomization_every_world_is_the_same():
    first, other = (draw(FILES["none"], np.random.default_rng(seed)) for seed in (1, 2))
    assert (first.camera, first.light, first.sensor, first.dynamics) == (
        other.camera,
        other.light,
        other.sensor,
        other.dynamics,
    )
    assert first.table == other.table


def test_the_shifted_domain_is_one_that_training_never_sees():
    """At least a camera, a light, a sensor and a contact range do not even touch those of training."""
    train, shifted = FILES["train"], FILES["shifted"]
    for group, field in (
        ("camera", "pitch"), ("camera", "azimuth"), ("light", "y"), ("sensor", "noise"), ("dynamics", "friction"),
    ):  # fmt: skip
        inner, outer = getattr(getattr(train, group), field), getattr(getattr(shifted, group), field)
        assert outer[0] >= inner[1] or outer[1] <= inner[0], field


def test_the_pattern_of_the_scene_scales_the_tables_texture():
    everywhere = replace(FILES["train"].surfaces, pattern_share=1.0)
    ranges = replace(FILES["train"], surfaces=everywhere)
    plain, patterned = (draw(ranges, np.random.default_rng(3), 0, scale) for scale in (0.25, 1.0))
    assert np.isclose(plain.table.texture.contrast, 0.25 * patterned.table.texture.contrast)


def content(name: str = "train") -> dict:
    return yaml.safe_load(ranges_file(name).read_text())


@pytest.mark.parametrize(
    ("group", "key", "value", "message"),
    [
        ("camera", "pitch", [46, 44], "camera: pitch is .46, 44.: expected the lowest number first"),
        ("camera", "pitch", "steep", "camera: pitch is 'steep': expected two numbers"),
        ("sensor", "late_share", [0.0, 1.5], "sensor: late_share is 1.5: expected a share from 0 to 1"),
        ("light", "shadow_share", True, "light: shadow_share is True: expected a number"),
        ("dynamics", "colour", [0, 1], "dynamics has .*: expected exactly friction"),
    ],
)
def test_a_wrong_entry_is_named(group, key, value, message):
    changed = content()
    changed[group][key] = value
    with pytest.raises(KprlError, match=message):
        build(Ranges, changed, "file.yaml")


def test_a_missing_entry_is_named():
    changed = content()
    del changed["sensor"]
    with pytest.raises(KprlError, match="file.yaml has .*: expected exactly camera, light, surfaces"):
        build(Ranges, changed, "file.yaml")


def test_unknown_names_are_refused_with_the_choices():
    with pytest.raises(KprlError, match="unknown randomization 'wild': choose one of none, shifted, train"):
        read_ranges("wild")
    with pytest.raises(KprlError, match="unknown scene 'moon': choose one of env1, env2"):
        read_scene("moon")


def test_a_target_that_cannot_differ_from_the_table_is_refused():
    surfaces = replace(FILES["train"].surfaces, table=(0.5, 0.5), target=(0.45, 0.55), target_contrast=0.2)
    with pytest.raises(KprlError, match="within 0.45 to 0.55 differs by 0.2 from a table of 0.50"):
        draw(replace(FILES["train"], surfaces=surfaces), np.random.default_rng(0))
