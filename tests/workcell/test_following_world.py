"""The world without a network: what a seed draws, how the arm is followed, what the camera sees of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hand import joints_over

from kprl.control.kinematics import tool_and_jacobian
from kprl.control.limits import CONTROL_PERIOD, WORKSPACE
from kprl.envs.world import World
from kprl.preprocess import FIELD_OF_VIEW, Intrinsics, preprocess
from kprl.sim.assets.make_urdf import TCP_OFFSET
from kprl.sim.camera import CameraPose
from kprl_fake_hardware.driven_fingers import DrivenFingers
from kprl_fake_hardware.eye import FOCAL, HEIGHT, WIDTH, Eye
from kprl_fake_hardware.following_world import STEP, FollowingWorld
from kprl_fake_hardware.scene import OBJECT, Domain, Poses

HOME = joints_over(0.5, 0.0, 0.15)
PERIOD = 0.008  # [s] of a CB3 controller
LENS = Intrinsics(FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)
SCENARIOS = [Domain(), Domain(scene="env2"), Domain(object="gear"), Domain(object="cube+gear")]


@pytest.fixture(scope="module", params=SCENARIOS, ids=["GB", "GB-N", "GT", "either"])
def world(request) -> Iterator[FollowingWorld]:
    world = FollowingWorld(request.param, HOME, DrivenFingers())
    yield world
    world.close()


@pytest.fixture(scope="module")
def eye(world: FollowingWorld) -> Iterator[Eye]:
    eye = Eye(world.domain)
    yield eye
    eye.close()


def places(world: FollowingWorld) -> np.ndarray:
    return np.array([pose for _, pose in world.poses().bodies])


def rest(world: FollowingWorld) -> None:
    for _ in range(60):
        world.advance(HOME, PERIOD)


def test_a_seed_decides_the_scene_whatever_was_before(world: FollowingWorld):
    world.lay(5, HOME)
    first, goal = places(world), world.goal
    rest(world)
    later = places(world)
    world.lay(6, joints_over(0.45, 0.1, 0.2))
    assert not np.allclose(places(world)[0], first[0])
    for share in np.linspace(0, 1, 50):
        world.advance(HOME + share * 0.2, PERIOD)
    world.lay(5, HOME)
    assert np.array_equal(places(world), first) and np.array_equal(world.goal, goal)
    rest(world)
    assert np.array_equal(places(world), later)  # to the bit: nothing is left of what was before


def test_scenes_are_those_of_the_tasks_own_starts(world: FollowingWorld):
    domain = world.domain
    played = World(domain.task, domain.scene, domain.object, "train")
    for seed in range(20):
        world.lay(seed, HOME)
        begun = played.reset(seed)
        object_pose = dict(world.poses().bodies)[OBJECT]
        assert np.allclose(object_pose[:3], begun.object_position) and np.allclose(world.goal, begun.goal)
        assert len(world.poses().bodies) == 1 + len(played.start.distractors)
        assert WORKSPACE.contains(np.array([*object_pose[:2], 0.1])).all()
    played.close()


def test_the_arm_is_followed_within_a_step_of_physics(world: FollowingWorld):
    world.lay(1, HOME)
    joints, before = HOME.copy(), np.array([0.5, 0.0, 0.15])
    rates = np.array([0.3, -0.2, 0.25, 0.1, -0.4, 0.5])
    for tick in range(100):
        joints = joints + rates * np.sin(tick / 15) * PERIOD
        world.advance(joints, PERIOD)
        wanted = tool_and_jacobian(joints, TCP_OFFSET)[0][:3, 3]
        seen = tool_and_jacobian(np.array(world.poses().joints), TCP_OFFSET)[0][:3, 3]
        speed, before = np.linalg.norm(wanted - before) / PERIOD, wanted
        assert np.linalg.norm(wanted - seen) < 1e-4 + speed * STEP
    for _ in range(3):
        world.advance(joints, PERIOD)
    seen = tool_and_jacobian(np.array(world.poses().joints), TCP_OFFSET)[0][:3, 3]
    assert np.linalg.norm(tool_and_jacobian(joints, TCP_OFFSET)[0][:3, 3] - seen) < 1e-4


def test_truth_comes_once_a_control_period(world: FollowingWorld):
    world.lay(1, HOME)
    world.truths.clear()
    for _ in range(250):  # two seconds
        world.advance(HOME, PERIOD)
    steps = [truth.step for truth in world.truths]
    assert steps == list(range(1, 1 + round(2.0 / CONTROL_PERIOD)))
    rests = world.truths[-1]
    assert np.linalg.norm(rests.velocity) < 1e-3 and not rests.engaged and rests.seed == 1


def test_poses_survive_the_way_to_the_camera(world: FollowingWorld):
    world.lay(2, HOME)
    poses = world.poses()
    assert Poses.from_json(json.loads(json.dumps(poses.to_json()))) == poses


def test_the_camera_sees_the_object_where_its_lens_says(world: FollowingWorld, eye: Eye):
    for seed in range(3, 9):
        world.lay(seed, joints_over(0.5, 0.0, 0.2))
        poses = world.poses()
        there = eye.look(poses).astype(int)
        bodies = tuple((i, (*pose[:2], -2.0, *pose[3:]) if i == OBJECT else pose) for i, pose in poses.bodies)
        changed = np.abs(there - eye.look(replace(poses, bodies=bodies))) > 8
        rows, columns = np.nonzero(changed)
        assert len(rows) > 3  # most of it is in sight
        scale = WIDTH / there.shape[1]
        seen = (np.array([columns.mean(), rows.mean()]) + 0.5) * scale
        # The nominal camera: what calibration leaves, and the shadow beside the object, are the difference.
        u, v = CameraPose().project(np.array(dict(poses.bodies)[OBJECT][:3]))
        nominal = np.array([u, v]) * FOCAL * np.tan(np.radians(FIELD_OF_VIEW) / 2) + [WIDTH / 2, HEIGHT / 2]
        assert np.linalg.norm(seen - nominal) < 40, seed  # [px] of 640


def test_the_policys_view_is_that_of_the_simulated_camera_in_the_same_domain(world: FollowingWorld, eye: Eye):
    """The whole way, 640 x 480 image and crop, against the 64 x 64 picture that the simulator draws at once."""
    domain = world.domain
    played = World(domain.task, domain.scene, domain.object, domain.randomization)
    for seed in (1, 2, 3):
        begun = played.reset(seed)
        world.lay(seed, begun.joint_positions)
        view = preprocess(eye.develop(eye.look(world.poses())), LENS)
        ours, theirs = view.astype(float), begun.image.astype(float)
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.9, seed
        assert abs(ours.mean() - theirs.mean()) < 12
    played.close()
