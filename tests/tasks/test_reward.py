"""The guided reward, equations (10) and (11), against hand-computed numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kprl.control.limits import WORKSPACE
from kprl.envs.goal_observation import compute_reward
from kprl.tasks.reward import GUIDED_WEIGHT, REGULATION_WEIGHT, guided_reward, regulation

points = arrays(np.float64, (7, 3), elements=st.floats(-3.0, 3.0))


def test_by_hand():
    goal = np.array([0.5, 0.0, 0.1])
    assert np.isclose(guided_reward(goal + [0.0, 0.3, 0.4], goal, 0.0), -0.5 * GUIDED_WEIGHT)
    assert np.isclose(regulation(WORKSPACE.centre), 3 * REGULATION_WEIGHT)
    outside_in_x = WORKSPACE.centre + [1.0, 0.0, 0.0]
    assert np.isclose(regulation(outside_in_x), 2 * REGULATION_WEIGHT)


def test_distance_is_clamped_at_one_metre():
    assert np.isclose(guided_reward(np.full(3, 9.0), np.zeros(3), 0.0), -GUIDED_WEIGHT)


@given(points, points)
def test_batched_as_one_by_one_whatever_form_info_has(achieved, desired):
    terms = np.linspace(0.0, 0.15, len(achieved))
    batched = compute_reward(achieved, desired, {"regulation": terms})
    listed = compute_reward(achieved, desired, [{"regulation": term} for term in terms])
    single = [compute_reward(a, d, {"regulation": t}) for a, d, t in zip(achieved, desired, terms, strict=True)]
    assert np.allclose(batched, listed)
    assert np.allclose(batched, single)


@given(points, points)
def test_nearer_is_never_worse(achieved, desired):
    nearer = desired + 0.5 * (achieved - desired)
    assert (guided_reward(nearer, desired, 0.0) >= guided_reward(achieved, desired, 0.0) - 1e-12).all()
