"""The world: exact by seed, whatever happened before, and physical enough to grasp in."""

from __future__ import annotations

import numpy as np
import pytest

from kprl.action import MAX_GRIPPER_SPEED, Command, action_to_command
from kprl.control.limits import CONTROL_PERIOD, MAX_LINEAR_SPEED, WORKSPACE
from kprl.envs.world import Snapshot, World
from kprl.errors import KprlError
from kprl.sim.camera import GRIPPER, TARGET
from kprl.sim.gripper import ObjectStatus


@pytest.fixture(scope="module")
def world():
    world = World()
    yield world
    world.close()


GAIN = 0.5 / CONTROL_PERIOD / MAX_LINEAR_SPEED  # [1/m] half of the way in one period: commands act late and ramp


def scripted_action(state: Snapshot) -> np.ndarray:
    """An expert that reads the truth: above the object, down, close, to the goal."""
    grip = np.maximum(state.object_position, [*state.object_position[:2], WORKSPACE.lower[2] + 0.001])
    offset = grip - state.tcp_position
    if state.gripper_object == ObjectStatus.STOPPED_CLOSING:
        wanted = np.array([*(state.goal - state.object_position) * GAIN, -1.0])
    elif np.linalg.norm(offset[:2]) > 0.006 and state.opening > 0.08:
        wanted = np.array([*offset[:2] * GAIN, (0.1 - state.tcp_position[2]) * GAIN, 1.0])
    elif offset[2] < -0.004 and state.opening > 0.08:
        wanted = np.array([*offset * GAIN, 1.0])
    else:
        wanted = np.array([0.0, 0.0, 0.0, -1.0])
    return np.clip(wanted, -1.0, 1.0)


def run(world: World, seed: int, steps: int = 50) -> list[Snapshot]:
    states = [world.reset(seed)]
    for _ in range(steps):
        states.append(world.step(action_to_command(scripted_action(states[-1]), states[-1].opening)))
    return states


def require_same(some: list[Snapshot], others: list[Snapshot]) -> None:
    for mine, theirs in zip(some, others, strict=True):
        assert np.array_equal(mine.image, theirs.image)
        assert np.array_equal(mine.object_position, theirs.object_position)
        assert np.array_equal(mine.joint_positions, theirs.joint_positions)
        assert mine.opening == theirs.opening


def test_an_expert_grasps_from_ordinary_starts(world):
    ends = [run(world, seed)[-1] for seed in range(20)]
    assert sum(bool(world.task.is_success(end.object_position, end.goal)) for end in ends) >= 19
    assert all(end.gripper_object == ObjectStatus.STOPPED_CLOSING for end in ends)


def test_the_same_seed_is_bit_identical_after_other_episodes(world):
    first = run(world, 7)
    run(world, 8)
    world.scatter(9)
    again, fresh_world = run(world, 7), World()
    fresh = run(fresh_world, 7)
    fresh_world.close()
    require_same(first, again)
    require_same(first, fresh)


def test_other_seeds_look_different(world):
    assert not np.array_equal(world.reset(1).image, world.reset(2).image)


def test_the_tool_follows_the_commanded_velocity(world):
    state = world.reset(3)
    for _ in range(6):
        before, state = state, world.step(Command(np.array([0.0, 0.1, 0.05]), 0.085, 0.0))
    measured = (state.tcp_position - before.tcp_position) / CONTROL_PERIOD
    assert np.allclose(measured, [0.0, 0.1, 0.05], atol=2e-3)
    assert np.allclose(state.applied_linear, [0.0, 0.1, 0.05])


def test_the_tool_stays_in_the_workspace_under_any_command(world):
    rng = np.random.default_rng(0)
    state = world.reset(4)
    for _ in range(60):
        state = world.step(Command(rng.uniform(-2.0, 0.5, 3), 0.085, MAX_GRIPPER_SPEED))
        assert (state.tcp_position > np.array(WORKSPACE.lower) - 2e-3).all()
        assert (state.tcp_position < np.array(WORKSPACE.upper) + 2e-3).all()
        assert np.linalg.norm(state.applied_linear) <= MAX_LINEAR_SPEED + 1e-9


def test_the_gripper_speeds_up_to_its_limit_and_says_so(world):
    state = world.reset(5)
    assert state.gripper_object == ObjectStatus.AT_TARGET
    openings = [state.opening]
    for _ in range(5):
        state = world.step(action_to_command(np.array([0, 0, 0, -1.0]), state.opening))
        assert state.gripper_object == ObjectStatus.MOVING
        openings.append(state.opening)
    speeds = -np.diff(openings) / CONTROL_PERIOD
    assert np.allclose(speeds, [0.05, 0.10, 0.15, 0.15, 0.15], atol=2e-3)
    assert MAX_GRIPPER_SPEED == 0.15


def test_one_stray_opening_command_does_not_drop_what_is_held(world):
    state = run(world, 7)[-1]
    assert state.gripper_object == ObjectStatus.STOPPED_CLOSING
    for rate in (1.0, -1.0, -1.0):
        state = world.step(action_to_command(np.array([0, 0, 0, rate]), state.opening))
        assert state.gripper_object == ObjectStatus.STOPPED_CLOSING
    for _ in range(10):
        state = world.step(action_to_command(np.array([0, 0, 0, 1.0]), state.opening))
    assert not state.engaged
    assert state.opening > 0.08


def test_scatter_gives_grey_depth_and_classes(world):
    frames = [world.scatter(seed) for seed in range(30)]
    for frame in frames:
        assert frame.grey.shape == frame.depth.shape == frame.segmentation.shape == (64, 64)
        assert 0.2 < frame.depth.min() < frame.depth.max() <= 3.0
        assert set(np.unique(frame.segmentation)) <= {0, GRIPPER, TARGET}
    assert sum((frame.segmentation == TARGET).sum() >= 12 for frame in frames) >= 27
    assert sum((frame.segmentation == GRIPPER).sum() >= 50 for frame in frames) >= 27


def test_what_was_drawn_of_the_dynamics_is_what_the_physics_has():
    world = World("grasp", "env2", "gear")
    client, stage = world.bullet.client, world._stage
    seen = set()
    for seed in range(4):
        world.reset(seed)
        drawn = world.appearance.dynamics
        mass, friction = client.getDynamicsInfo(stage.object, -1)[:2]
        assert np.isclose(mass, world.model.mass * drawn.mass)
        assert np.isclose(friction, drawn.friction)
        assert np.isclose(client.getDynamicsInfo(stage.table, -1)[1], drawn.table_friction)
        assert (world._arm.delay, world._arm.gain) == (drawn.control_delay, drawn.velocity_gain)
        lying = {stage.distractors[one.index] for one in world.start.distractors}
        for body in stage.distractors:  # the others are parked, immovable and out of sight
            assert (client.getDynamicsInfo(body, -1)[0] > 0) == (body in lying)
            assert (client.getBasePositionAndOrientation(body)[0][2] > 0) == (body in lying)
        seen.add(drawn)
    assert len(seen) == 4
    world.close()


@pytest.mark.parametrize("names", ["cube+gear", "gear+cube"])
def test_of_several_objects_each_episode_has_one_by_its_seed(names):
    world, drawn = World(object=names), []
    client, stage = world.bullet.client, world._stage
    for seed in range(12):
        state = world.reset(seed)
        drawn.append(world.model.name)
        assert np.isclose(state.object_position[2], world.model.rest_height)
        for body in stage.objects:  # the other one is parked, immovable and out of sight
            assert (client.getDynamicsInfo(body, -1)[0] > 0) == (body == stage.object)
            assert (client.getBasePositionAndOrientation(body)[0][2] > 0) == (body == stage.object)
        assert (world.truth().segmentation == TARGET).sum() >= 12
    assert set(drawn) == {"cube", "gear"}
    ends = [run(world, seed)[-1] for seed in range(12)]
    assert sum(bool(world.task.is_success(end.object_position, end.goal)) for end in ends) >= 11
    for seed in range(4):  # of both objects; whichever came before in this world and never in a fresh one
        fresh = World(object=names)
        require_same(run(world, seed), run(fresh, seed))
        fresh.close()
    world.close()


def test_a_draw_that_fails_leaves_the_episode_that_is():
    world = World(object="cube+gear")
    seeds = {}
    for seed in range(12):
        world.reset(seed)
        seeds[world.model.name] = seed
    state = world.reset(seeds["cube"])
    for sampler in world._scenery._starts:
        sampler._task.is_fair = lambda position, goal: False  # nothing fits any more
    with pytest.raises(KprlError, match="no ordinary start"):
        world.reset(seeds["gear"])
    assert world.model.name == "cube"
    after = world.step(Command(np.zeros(3), state.opening, 0.0))
    assert np.allclose(after.object_position, state.object_position, atol=2e-3)
    world.close()


def test_the_target_is_where_the_camera_projects_it(world):
    for seed in range(10):
        state = world.reset(seed)
        frame = world.truth()
        rows, columns = np.nonzero(frame.segmentation == TARGET)
        seen = (2 * np.array([columns.mean(), rows.mean()]) + 1) / 64 - 1
        assert np.allclose(world.appearance.camera.project(state.object_position), seen, atol=0.06)


def test_stepping_before_reset_is_refused():
    world = World()
    with pytest.raises(KprlError, match="before its first reset"):
        world.step(Command(np.zeros(3), 0.085, 0.1))
    world.close()


def test_unknown_objects_are_refused():
    with pytest.raises(KprlError, match="unknown object 'banana': choose one of cube"):
        World(object="banana")
