"""How far keypoints wander, on keypoints that are pictures of known points of known bodies."""

from __future__ import annotations

import dataclasses
import math
from contextlib import closing

import numpy as np
import pytest

from kprl.control.rotation import to_matrix
from kprl.data.config import image_seed
from kprl.envs.world import World
from kprl.keypoints.scenes import render_scenes
from kprl.keypoints.wander import bodies, wander
from kprl.sim.assets.make_urdf import TCP_OFFSET
from kprl.sim.camera import TARGET

SEED = 3
PIXEL = 1 / 32  # of 64, in u or v
POINTS = {  # [m] one of each body, off its axis
    "palm": (0.01, 0.03, -0.08),
    "left_finger": (0.0, 0.006, -0.01),
    "right_finger": (0.0, -0.006, -0.01),
    "target": (0.0225, -0.02, 0.01),
    "target_unrotated": (0.0225, -0.02, 0.01),
}


@pytest.fixture(scope="module")
def scenes():
    return render_scenes("grasp", "env1", "cube", "train", images=400, seed=SEED)


def seen_at(scenes, name, confidence=1.0):
    """A perfect keypoint (N, 1, 3): the projection of a point of a body."""
    body = next(body for body in bodies(scenes) if body.name == name)
    uv = scenes.cameras.project(body.place(np.array(POINTS[name])))
    return np.concatenate([uv, np.full((len(uv), 1), confidence)], axis=1)[:, None]


def moved(keypoints, images, pixels):
    """The keypoints, in some images moved by (du, dv) [px]."""
    keypoints = keypoints.copy()
    keypoints[images, :, :2] += PIXEL * np.asarray(pixels)
    return keypoints


def noisy(keypoints, deviation, rng):
    """The keypoints with Gaussian noise [px] on u and on v."""
    return moved(keypoints, slice(None), rng.normal(0.0, deviation, keypoints[..., :2].shape))


def test_bodies_are_where_the_simulator_has_them(scenes):
    found = {body.name: body for body in bodies(scenes)}
    with closing(World("grasp", "env1", "cube", "train")) as world:
        client, robot, links = world.bullet.client, world._robot, world.bullet.joint_indices(world._robot)
        for i in range(20):
            world.scatter(image_seed(SEED, i))
            for name, link in (("left_finger", "left_finger_joint"), ("right_finger", "right_finger_joint")):
                # Links of a finger begin at tool0, moved aside.
                at, turn = client.getLinkState(robot, links[link], computeForwardKinematics=True)[4:6]
                tip = np.array(at) + to_matrix(np.array(turn)) @ [0.0, 0.0, TCP_OFFSET]
                assert tip == pytest.approx(found[name].origin[i], abs=1e-3)
            position, quaternion = world.bullet.pose(world._stage.object)
            assert position == pytest.approx(found["target"].origin[i], abs=1e-3)
            assert to_matrix(quaternion) == pytest.approx(found["target"].rotation[i], abs=1e-5)


@pytest.mark.parametrize("name", POINTS)
def test_a_point_of_a_body_does_not_wander(scenes, name):
    found = wander(seen_at(scenes, name), scenes)
    assert found.keypoints[0].body == name
    assert found.wander_px == found.keypoints[0].px == pytest.approx(0.0, abs=0.01)
    assert found.wander_median_px == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("name", POINTS)
def test_noise_is_measured_as_the_root_mean_square_of_both_directions(scenes, name):
    found = wander(noisy(seen_at(scenes, name), 1.0, np.random.default_rng(0)), scenes)
    assert found.wander_px == pytest.approx(math.sqrt(2.0), rel=0.12)
    assert found.wander_median_px == pytest.approx(math.sqrt(2.0 * math.log(2.0)), rel=0.15)  # of a Rayleigh distance
    assert found.keypoints[0].body.startswith(name.removesuffix("_unrotated"))


def test_stray_images_count_but_do_not_move_the_point(scenes):
    strays = np.arange(len(scenes)) % 10 < 2  # one in ten of each half
    one = wander(moved(seen_at(scenes, "palm"), strays, (12.0, 16.0)), scenes).keypoints[0]
    assert one.body == "palm"
    assert one.px == pytest.approx(math.sqrt(0.2 * 20.0**2), rel=0.05)
    assert one.median_px < 0.5


def test_what_is_measured_was_not_fitted(scenes):
    second = np.arange(len(scenes)) % 2 == 1
    assert wander(moved(seen_at(scenes, "palm"), second, (3.0, 4.0)), scenes).wander_px == pytest.approx(5.0, abs=0.05)


def test_a_hidden_target_does_not_count(scenes):
    hidden = np.arange(len(scenes)) % 3 == 0
    segmentation = scenes.dataset.segmentation.copy()
    segmentation[hidden] = np.where(segmentation[hidden] == TARGET, 0, segmentation[hidden])
    covered = dataclasses.replace(scenes, dataset=dataclasses.replace(scenes.dataset, segmentation=segmentation))
    keypoints = moved(seen_at(scenes, "target"), hidden, (30.0, 0.0))
    assert wander(keypoints, scenes).wander_px > 5.0
    one = wander(keypoints, covered).keypoints[0]
    assert one.body == "target" and one.px < 0.01 and one.images < 0.35 * len(scenes)


def test_only_confident_images_count_and_a_keypoint_without_any_is_left_out(scenes):
    doubtful = np.arange(len(scenes)) % 4 < 2
    half = moved(seen_at(scenes, "left_finger"), doubtful, (20.0, 0.0))
    half[doubtful, :, 2] = 0.4
    never = seen_at(scenes, "palm", confidence=0.0)
    found = wander(np.concatenate([half, never], axis=1), scenes)
    assert found.wander_px == found.keypoints[0].px == pytest.approx(0.0, abs=0.01)
    assert [one.confident for one in found.keypoints] == [0.5, 0.0]
    assert (found.keypoints[1].body, found.keypoints[1].px, found.keypoints[1].images) == (None, None, 0)
    nothing = wander(never, scenes)
    assert nothing.wander_px is None and nothing.wander_median_px is None


def test_a_keypoint_fixed_to_the_picture_wanders_on_every_body(scenes):
    still = np.broadcast_to(np.array([0.1, 0.2, 1.0]), (len(scenes), 1, 3))
    assert wander(still, scenes).wander_px > 3.0
