"""speedL: the velocity ramps straight to its target and is held there until the target is replaced."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprl.control.speed_l import speed_l

numbers = st.floats(-2.0, 2.0)
velocities = st.sampled_from([3, 6]).flatmap(
    lambda n: st.tuples(*(st.lists(numbers, min_size=n, max_size=n).map(np.array) for _ in range(2)))
)  # two of the same length: target and previous
accelerations = st.floats(0.1, 10.0)  # [m/s^2]
periods = st.sampled_from([1 / 125, 1 / 120, 1 / 20])  # [s]


def larger_half(change: np.ndarray) -> float:
    """The norm of the linear or of the angular part, whichever is larger."""
    return max(math.hypot(*half) for half in change.reshape(-1, 3))


@given(velocities, accelerations, periods)
def test_the_change_is_bounded(pair, acceleration, period):
    target, previous = pair
    change = speed_l(target, previous, acceleration, period) - previous
    assert larger_half(change) <= acceleration * period * (1 + 1e-8) + 1e-12


@given(velocities, accelerations, periods)
def test_arrives_exactly_and_in_time_and_holds(pair, acceleration, period):
    target, velocity = pair
    ticks = math.ceil(larger_half(target - velocity) / (acceleration * period))
    for _ in range(ticks):
        velocity = speed_l(target, velocity, acceleration, period)
    assert np.array_equal(velocity, target)
    assert np.array_equal(speed_l(target, velocity, acceleration, period), target)


@given(velocities, accelerations, periods)
def test_not_earlier_than_the_acceleration_allows(pair, acceleration, period):
    target, velocity = pair
    ticks = math.ceil(larger_half(target - velocity) / (acceleration * period) - 1e-6)
    for _ in range(ticks - 1):
        velocity = speed_l(target, velocity, acceleration, period)
        assert not np.array_equal(velocity, target)


@given(velocities, accelerations, periods)
def test_the_way_is_straight(pair, acceleration, period):
    target, start = pair
    velocity, whole = start, target - start
    covered = 0.0
    for _ in range(20):
        velocity = speed_l(target, velocity, acceleration, period)
        fraction = float((velocity - start) @ whole / max(whole @ whole, 1e-300))
        assert np.allclose(velocity, start + fraction * whole, atol=1e-9)
        assert fraction >= covered - 1e-12
        covered = fraction


@given(velocities, accelerations, periods)
def test_a_new_target_takes_over_from_the_present_velocity(pair, acceleration, period):
    first, second = pair
    midway = speed_l(first, np.zeros_like(first), acceleration, period)
    assert larger_half(speed_l(second, midway, acceleration, period) - midway) <= acceleration * period * (1 + 1e-8)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_target_that_is_not_finite_is_a_standstill(bad):
    velocity = np.array([0.1, 0.0, 0.0])
    for _ in range(4):
        velocity = speed_l(np.array([bad, 0.1, 0.0]), velocity, acceleration=2.5, period=0.01)
    assert np.array_equal(velocity, np.zeros(3))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_previous_velocity_that_is_not_finite_does_not_last(bad):
    velocity = speed_l(np.array([0.1, 0.0, 0.0]), np.array([bad, 0.1, 0.0]), acceleration=2.5, period=0.01)
    assert np.allclose(velocity, [0.025, 0.0, 0.0])


def test_the_rotation_of_a_twist_is_bounded_by_the_same_number():
    twist = speed_l(np.array([0.1, 0.0, 0.0, 0.0, 0.0, 1.0]), np.zeros(6), acceleration=1.0, period=0.1)
    assert np.allclose(twist, [0.01, 0.0, 0.0, 0.0, 0.0, 0.1])


def test_the_result_is_not_the_callers_array():
    target = np.zeros(3)
    assert speed_l(target, np.zeros(3), acceleration=1.0, period=0.1) is not target
