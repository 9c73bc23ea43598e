"""Start states: inside their limits, by seed, and loud about unknown kinds."""

from __future__ import annotations

import numpy as np
import pytest

from kprl.action import GRIPPER_STROKE
from kprl.control.limits import WORKSPACE
from kprl.errors import KprlError
from kprl.sim.objects import OBJECTS
from kprl.tasks import make_task
from kprl.tasks.start_states import START_HEIGHT, START_KINDS, StartStates

CUBE = OBJECTS["cube"]


def sampler() -> StartStates:
    return StartStates(make_task("grasp"), CUBE.rest_height, CUBE.grip_width)


@pytest.mark.parametrize("kind", START_KINDS)
def test_tool_and_object_are_inside(kind):
    for seed in range(200):
        state = sampler().sample(kind, np.random.default_rng(seed))
        assert (state.tcp >= np.array(WORKSPACE.lower) - 1e-9).all()
        assert (state.tcp <= np.array(WORKSPACE.upper) + 1e-9).all()
        assert state.object_position[2] >= CUBE.rest_height
        assert 0.0 <= state.opening <= GRIPPER_STROKE


def test_ordinary_starts_give_nothing_away():
    for seed in range(200):
        state = sampler().sample("ordinary", np.random.default_rng(seed))
        assert state.opening == GRIPPER_STROKE
        assert not state.held
        assert START_HEIGHT[0] <= state.tcp[2] <= START_HEIGHT[1]
        assert state.object_position[2] == CUBE.rest_height


def test_the_curriculum_holds_reaches_and_approaches():
    states = [sampler().sample("curriculum", np.random.default_rng(seed)) for seed in range(300)]
    held = [state for state in states if state.held]
    around = [s for s in states if not s.held and np.linalg.norm(s.tcp - s.object_position) < 0.02]
    away = [s for s in states if not s.held and np.linalg.norm(s.tcp - s.object_position) > 0.03]
    assert min(len(held), len(around), len(away)) > 30


def test_the_same_seed_gives_the_same_state():
    first, second = (sampler().sample("curriculum", np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.tcp, second.tcp)
    assert np.array_equal(first.goal, second.goal)


def test_unknown_names_are_refused_with_the_choices():
    with pytest.raises(KprlError, match="unknown start 'sideways': choose one of ordinary"):
        sampler().sample("sideways", np.random.default_rng(0))
    with pytest.raises(KprlError, match="unknown task 'juggle': choose one of grasp"):
        make_task("juggle")
    with pytest.raises(KprlError, match="unknown scene of task grasp 'env9': choose one of env1"):
        make_task("grasp", "env9")
