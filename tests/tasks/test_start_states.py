"""Start states: inside their limits, by seed, nothing overlapping, and loud where nothing fits."""

from __future__ import annotations

import numpy as np
import pytest

from kprl.action import GRIPPER_STROKE
from kprl.control.limits import WORKSPACE
from kprl.errors import KprlError
from kprl.sim.objects import DISTRACTORS, OBJECTS
from kprl.tasks import TASKS, grasp, make_task, push
from kprl.tasks.start_states import CLUTTER_GAP, START_KINDS, TOOL_HIGH, TOOL_REACH, StartSampler
from kprl.tasks.task import Task

CUBE = OBJECTS["cube"]


def sample(kind: str, seed: int, task: str = "grasp", thing: str = "cube", **options):
    return StartSampler(make_task(task), OBJECTS[thing], **options).sample(kind, np.random.default_rng(seed))


@pytest.mark.parametrize("thing", sorted(OBJECTS))
@pytest.mark.parametrize("kind", START_KINDS)
@pytest.mark.parametrize("task", sorted(TASKS))
def test_tool_object_and_goal_are_inside(task, kind, thing):
    for seed in range(100):
        state = sample(kind, seed, task, thing)
        for point in (state.tcp, state.goal):
            assert (point >= np.array(WORKSPACE.lower) - 1e-2).all()
            assert (point <= np.array(WORKSPACE.upper) + 1e-9).all()
        assert (state.tcp >= np.array(WORKSPACE.lower) - 1e-9).all()
        assert state.object_position[2] >= OBJECTS[thing].rest_height
        assert 0.0 <= state.opening <= GRIPPER_STROKE


def test_ordinary_grasps_give_nothing_away():
    for seed in range(200):
        state = sample("ordinary", seed)
        assert state.opening == GRIPPER_STROKE
        assert not state.held
        assert grasp.START_HEIGHT[0] <= state.tcp[2] <= grasp.START_HEIGHT[1]
        assert state.object_position[2] == CUBE.rest_height


def test_ordinary_pushes_are_worth_playing():
    for seed in range(200):
        state = sample("ordinary", seed, "push")
        distance = np.linalg.norm(state.goal - state.object_position)
        assert push.PUSH_DISTANCE[0] <= distance <= push.PUSH_DISTANCE[1]
        assert push.PUSH_DISTANCE[0] > make_task("push").success_distance
        assert state.goal[2] == state.object_position[2] == CUBE.rest_height
        assert state.tcp[2] >= push.START_HEIGHT[0]


def test_the_curriculum_holds_reaches_and_approaches():
    states = [sample("curriculum", seed) for seed in range(300)]
    held = [state for state in states if state.held]
    around = [s for s in states if not s.held and np.linalg.norm(s.tcp - s.object_position) < 0.02]
    away = [s for s in states if not s.held and np.linalg.norm(s.tcp - s.object_position) > 0.03]
    assert min(len(held), len(around), len(away)) > 30


def test_a_fifth_of_the_grasp_curriculum_has_missed():
    states = [sample("curriculum", seed) for seed in range(500)]
    low = [s for s in states if not s.held and s.tcp[2] < 0.08]
    beside = [s for s in low if np.linalg.norm((s.tcp - s.object_position)[:2]) > 0.03]
    assert 0.5 * grasp.MISSED < len(beside) / len(states) < grasp.MISSED
    ahead = [np.sign(s.tcp[0] - s.object_position[0]) for s in beside]
    assert min(ahead.count(1.0), ahead.count(-1.0)) > 10


@pytest.mark.parametrize("thing", sorted(OBJECTS))
def test_fingers_that_missed_stand_clear_of_the_object(thing):
    model = OBJECTS[thing]
    for seed in range(500):
        state = sample("curriculum", seed, thing=thing)
        off = np.abs(state.tcp - state.object_position)
        reaches_around = state.held or max(off[:2]) < 0.02
        is_over = state.tcp[2] >= 2 * model.rest_height + grasp.OVER - 1e-9
        assert reaches_around or is_over or off[0] >= model.radius + grasp.FINGER_DEPTH - 1e-9


@pytest.mark.parametrize("thing", sorted(OBJECTS))
def test_the_push_curriculum_stands_behind_the_object_or_has_lost_it_and_is_outside_it(thing):
    model = OBJECTS[thing]
    states = [sample("curriculum", seed, "push", thing) for seed in range(400)]
    ways = []
    for state in states:
        back, way = state.tcp - state.object_position, state.goal - state.object_position
        is_beside = np.linalg.norm(back[:2]) >= model.radius + push.FINGERS - 1e-6
        assert is_beside or state.tcp[2] >= 2 * model.rest_height + push.OVER - 1e-9
        if state.tcp[2] < 0.04:
            ways.append(back[:2] @ way[:2] / np.linalg.norm(back[:2]) / np.linalg.norm(way[:2]))
    behind = np.mean(np.array(ways) < -0.9)
    assert len(ways) > 120 and 0.6 < behind < 0.9


@pytest.mark.parametrize("thing", sorted(OBJECTS))
def test_keypoint_data_have_the_gripper_around_the_object_beside_it_and_elsewhere(thing):
    model = OBJECTS[thing]
    states = [sample("scatter", seed, thing=thing) for seed in range(600)]
    free = [state for state in states if not state.held]
    offsets = np.array([state.tcp - state.object_position for state in free])
    flat = np.linalg.norm(offsets[:, :2], axis=1)
    around, near, far = flat < 0.018, (flat >= 0.018) & (flat < 0.1), flat >= 0.1
    assert min(around.mean(), near.mean(), far.mean()) > 0.15
    assert 0.1 < 1 - len(free) / len(states) < 0.3
    low = near & (np.array([state.tcp[2] for state in free]) < model.rest_height + grasp.OVER)
    assert (np.abs(offsets[low, 0]) >= model.radius + grasp.FINGER_DEPTH - 1e-9).mean() > 0.8  # else to a side, clear


@pytest.mark.parametrize("kind", START_KINDS)
def test_clutter_leaves_room_for_object_gripper_and_itself(kind):
    counts = set()
    for seed in range(150):
        state = sample(kind, seed, clutter=DISTRACTORS, count=(2, 4))
        counts.add(len(state.distractors))
        places = [(lying.place, DISTRACTORS[lying.index].radius) for lying in state.distractors]
        for i, (place, radius) in enumerate(places):
            assert np.linalg.norm(place - state.object_position[:2]) > CUBE.radius + radius + CLUTTER_GAP
            assert state.tcp[2] > TOOL_HIGH or np.linalg.norm(place - state.tcp[:2]) > TOOL_REACH + radius
            assert all(np.linalg.norm(place - other) > radius + r for other, r in places[:i])
    assert counts == {2, 3, 4}


def test_the_same_seed_gives_the_same_state():
    first, second = (sample("curriculum", 3, clutter=DISTRACTORS, count=(2, 4)) for _ in range(2))
    assert np.array_equal(first.tcp, second.tcp)
    assert np.array_equal(first.goal, second.goal)
    assert [lying.index for lying in first.distractors] == [lying.index for lying in second.distractors]


def test_what_never_fits_fails_loudly_and_soon():
    class TooFar(type(make_task("grasp"))):
        def is_fair(self, position, goal):
            return False

    sampler = StartSampler(TooFar("env1"), CUBE)
    with pytest.raises(KprlError, match="no ordinary start of task grasp found in 200 tries"):
        sampler.sample("ordinary", np.random.default_rng(0))
    crowd = StartSampler(make_task("grasp"), CUBE, DISTRACTORS * 20, (110, 110))
    with pytest.raises(KprlError, match="too small for the object, the distractors"):
        crowd.sample("ordinary", np.random.default_rng(0))


@pytest.mark.parametrize("task", sorted(TASKS))
def test_success_is_the_distance_batched(task):
    rules: Task = make_task(task)
    goal = np.tile([0.5, 0.0, 0.1], (3, 1))
    off = np.array([[0, 0, 0], [rules.success_distance - 1e-6, 0, 0], [0, rules.success_distance + 1e-6, 0]])
    assert rules.is_success(goal + off, goal).tolist() == [True, True, False]
    assert bool(rules.is_success(goal[0], goal[0]))


def test_what_counts_as_engaged():
    grasping, pushing = make_task("grasp"), make_task("push")
    assert grasping.engaged([True, True], True)
    assert not grasping.engaged([True, False], True)
    assert pushing.engaged([False, False], True)
    assert not pushing.engaged([False, False], False)


def test_what_the_robot_can_know_of_the_end():
    grasping, pushing = make_task("grasp"), make_task("push")
    assert grasping.robot_says(True, 0.01) == "success"
    assert grasping.robot_says(True, 0.1) == "not_at_goal"
    assert grasping.robot_says(False, 0.01) == "nothing_held"
    assert pushing.robot_says(True, 0.01) == pushing.robot_says(False, 1.0) == "not_known"


def test_unknown_names_are_refused_with_the_choices():
    with pytest.raises(KprlError, match="unknown start 'sideways': choose one of curriculum, ordinary, scatter"):
        sample("sideways", 0)
    with pytest.raises(KprlError, match="unknown task 'juggle': choose one of grasp, push"):
        make_task("juggle")
    with pytest.raises(KprlError, match="unknown scene of task push 'env2': choose one of env1"):
        make_task("push", "env2")
