"""Evaluation scenes: what they say of each image is what the simulator has and the camera shows."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from kprl.control.rotation import about_z
from kprl.data.config import image_seed
from kprl.envs.world import World
from kprl.keypoints.scenes import Cameras, render_scenes
from kprl.sim.camera import TARGET, CameraPose

IMAGES, SEED = 60, 7
MILLIMETRE = 1e-3


@pytest.fixture(scope="module", params=["train", "shifted"])
def scenes(request):
    return render_scenes("grasp", "env1", "cube", request.param, images=IMAGES, seed=SEED)


@pytest.fixture()
def world(scenes):
    with closing(World("grasp", "env1", "cube", scenes.dataset.config["randomization"])) as world:
        yield world


def test_starts_are_the_truth(scenes, world):
    client, robot = world.bullet.client, world._robot
    links = world.bullet.joint_indices(robot)
    assert scenes.held.any() and not scenes.held.all()
    for i in range(IMAGES):
        frame = world.scatter(image_seed(SEED, i))
        assert np.array_equal(frame.grey, scenes.dataset.grey[i])
        position, quaternion = world.bullet.pose(world._stage.object)
        assert position == pytest.approx(scenes.object_position[i], abs=MILLIMETRE)
        assert abs(quaternion @ about_z(scenes.object_yaw[i])) == pytest.approx(1.0, abs=1e-6)
        tcp = client.getLinkState(robot, links["tool0-tcp"], computeForwardKinematics=True)[4]
        assert np.array(tcp) == pytest.approx(scenes.tcp[i], abs=MILLIMETRE)
        fingers = world.bullet.joint_positions(robot, [links["left_finger_joint"], links["right_finger_joint"]])
        assert fingers == pytest.approx(np.full(2, scenes.opening[i] / 2), abs=MILLIMETRE)


def test_projections_lie_on_what_the_camera_shows(scenes):
    segmentation = scenes.dataset.segmentation == TARGET
    whole = np.nonzero(~scenes.held & (scenes.pixels(TARGET) > 45))[0]
    assert len(whole) > 5
    u, v = scenes.cameras.project(scenes.object_position).T
    for i in whole:
        rows, columns = np.nonzero(segmentation[i])
        middle = (2 * np.array([columns.mean(), rows.mean()]) + 1) / 64 - 1
        assert np.linalg.norm([u[i], v[i]] - middle) < 2 / 32  # [px / px]: the fingers may hide a part of it


def test_cameras_project_as_each_camera_does():
    rng = np.random.default_rng(0)
    poses = [
        CameraPose(distance=rng.uniform(0.5, 0.8), azimuth=rng.uniform(-9, 9), roll=rng.uniform(-9, 9), distortion=k)
        for k in (-0.02, 0.0, 0.03)
    ]
    points = rng.uniform([0.4, -0.1, 0.0], [0.6, 0.1, 0.2], (3, 3))
    each = [pose.project(point) for pose, point in zip(poses, points, strict=True)]
    assert Cameras.of(poses).project(points) == pytest.approx(np.array(each), abs=1e-9)
    assert Cameras.of(poses).subset(np.array([2])).project(points[2:]) == pytest.approx(np.array(each[2:]), abs=1e-9)
