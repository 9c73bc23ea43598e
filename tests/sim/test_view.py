"""What the camera sees, and the truth behind it: projection, depth, classes, lens, textures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kprl.envs.world import World
from kprl.sim.camera import BACKGROUND, FAR, GRIPPER, TARGET, CameraPose
from kprl.sim.texture import PLAIN, Texture, draw_texture

poses = st.builds(
    CameraPose,
    distance=st.floats(0.5, 0.8),
    pitch=st.floats(35, 55),
    azimuth=st.floats(-20, 20),
    roll=st.floats(-10, 10),
    field_of_view=st.floats(30, 45),
    distortion=st.floats(-0.03, 0.03),
)


@pytest.fixture(scope="module")
def world():
    world = World("grasp", "env2", "gear")
    yield world
    world.close()


@settings(max_examples=50, deadline=None)
@given(poses, st.integers(0, 63), st.integers(0, 63), st.floats(0.3, 1.0))
def test_a_pixels_ray_projects_back_to_the_pixel(pose, row, column, depth):
    ideal = replace(pose, distortion=0.0)
    point = ideal.eye() + depth * ideal.rays(64)[row, column]
    assert np.allclose(ideal.project(point), (2 * np.array([column, row]) + 1) / 64 - 1, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(poses, st.integers(0, 63), st.integers(0, 63))
def test_the_lens_draws_a_point_where_project_says(pose, row, column):
    """The pixel that shows a point after the lens is the one that takes it from where the ideal picture has it."""
    lens_map = pose.lens_map(64)
    if lens_map is None:
        return
    source = (2 * lens_map[row, column].astype(float) + 1) / 64 - 1  # u, v in the ideal picture
    half = np.tan(np.radians(pose.field_of_view) / 2)
    ray = np.array([source[0] * half, -source[1] * half, -1.0]) @ pose.view_matrix()[:3, :3]
    seen = pose.project(pose.eye() + 0.7 * ray)
    assert np.allclose(seen, (2 * np.array([column, row]) + 1) / 64 - 1, atol=1e-5)


def test_depth_is_metric_to_the_tenth_of_a_millimetre(world):
    """Every point that a depth pixel stands for lies on the table, on the floor, or on something above the table."""
    plain = World(randomization="none")
    seen = []
    for seed in range(5):
        plain.reset(seed)
        frame, camera = plain.truth(), plain.appearance.camera
        points = camera.eye() + frame.depth[..., None] * camera.rays(64)
        on_table, on_floor = (np.abs(points[..., 2] - height) < 1e-4 for height in (0.0, -0.75))
        above, far = points[..., 2] > 1e-4, frame.depth >= FAR - 1e-3
        seen.append((on_table | on_floor | above | far).mean())
        assert on_table.mean() > 0.4
        target = points[frame.segmentation == TARGET]
        assert (target[:, 2] > -1e-4).all()
        assert (target[:, 2] < 0.0451).all()
        assert np.linalg.norm(target[:, :2].mean(axis=0) - plain.start.object_position[:2]) < 0.02
    assert min(seen) > 0.98  # the rest is the robot's foot beside the table
    plain.close()


def test_classes_are_those_of_gripper_and_target(world):
    for seed in range(6):
        world.reset(seed)
        frame = world.truth()
        assert set(np.unique(frame.segmentation)) <= {BACKGROUND, GRIPPER, TARGET}
        rows, columns = np.nonzero(frame.segmentation == TARGET)
        seen = (2 * np.array([columns.mean(), rows.mean()]) + 1) / 64 - 1
        position = world.start.object_position
        assert np.allclose(world.appearance.camera.project(position), seen, atol=0.07)
        tool = world.appearance.camera.project(world.start.tcp + [0.0, 0.0, 0.05])
        rows, columns = np.nonzero(frame.segmentation == GRIPPER)
        assert abs((2 * columns.mean() + 1) / 64 - 1 - tool[0]) < 0.1


def test_the_distractors_are_seen_and_are_background(world):
    plain = World("grasp", "env1", "gear", "none")
    cluttered = World("grasp", "env2", "gear", "none")
    plain.reset(1)
    cluttered.reset(1)
    assert 2 <= len(cluttered.start.distractors) <= 4
    frame = cluttered.truth()
    for lying in cluttered.start.distractors:
        u, v = cluttered.appearance.camera.project(np.array([*lying.place, 0.005]))
        if max(abs(u), abs(v)) < 0.95:
            row, column = int((v + 1) * 32), int((u + 1) * 32)
            assert frame.segmentation[row, column] in (BACKGROUND, GRIPPER)
    plain.close()
    cluttered.close()


def test_textures_brighten_and_darken_by_their_contrast():
    points = np.random.default_rng(0).uniform(-0.3, 0.3, (2000, 3))
    for seed in range(20):
        texture = draw_texture(0.3, 2.0, (0.02, 0.2), np.random.default_rng(seed))
        shade = texture.shade(points)
        assert shade.shape == (2000,)
        assert 0.7 - 1e-5 <= shade.min() < 0.95
        assert 1.05 < shade.max() <= 1.3 + 1e-5
        lengths = 2 * np.pi / np.linalg.norm(texture.waves, axis=0)
        assert ((lengths > 0.019) & (lengths < 0.201)).all()
    assert (PLAIN.shade(points) == 1.0).all()


def test_a_texture_sticks_to_its_body():
    """The pattern moves with the object: it is a function of the place on the body, not of the picture."""
    world = World("grasp", "env1", "cube", "none")
    world.reset(0)
    stripes = Texture(0.9, 6.0, np.array([[2 * np.pi / 0.02], [0.0], [0.0]], np.float32), np.zeros(1, np.float32))
    world._view._textures = {world._stage.object: stripes}
    plain = world.truth()
    rows, columns = np.nonzero(plain.segmentation == TARGET)
    before = world._view.picture()[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].copy()
    assert before.astype(float).std() > 30
    position, quaternion = world.bullet.pose(world._stage.object)
    along_picture = 0.64 * 2 * np.tan(np.radians(18)) / 64  # [m] about one pixel to the right: -y is left of the robot
    world.bullet.place(world._stage.object, (position + [0, 4 * along_picture, 0]).tolist(), quaternion.tolist())
    moved_picture = world._view.picture()
    moved = world.truth()
    rows, columns = np.nonzero(moved.segmentation == TARGET)
    after = moved_picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    size = np.minimum(before.shape, after.shape)
    first, second = before[: size[0], : size[1]].astype(float), after[: size[0], : size[1]].astype(float)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.6
    world.close()
