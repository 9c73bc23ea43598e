"""The joint limits: they hold whatever is asked, and what is feasible passes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kprl.control.joint_limits import (
    JOINT_LOWER,
    JOINT_MARGIN,
    JOINT_UPPER,
    MAX_JOINT_ACCELERATION,
    MAX_JOINT_SPEED,
    limit_joint_plan,
    limit_joint_rates,
)
from kprl.control.kinematics import ELBOW_UP, jacobian, solve_inverse
from kprl.control.limits import MAX_LINEAR_ACCELERATION, TICK, WORKSPACE
from kprl.sim.arm import TOOL_DOWN
from kprl.sim.assets.make_urdf import TCP_OFFSET


def six(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[np.ndarray]:
    return st.lists(numbers, min_size=6, max_size=6).map(np.array)


anything = six(st.one_of(st.floats(), st.floats(-10.0, 10.0)))  # NaN and infinities too
speeds = six(st.floats(-np.pi, np.pi))
positions = six(st.floats(-2 * np.pi, 2 * np.pi))
periods = st.sampled_from([1 / 500, 1 / 125, 1 / 120, 1 / 20])  # [s]
MID = np.zeros(6)  # far from every position limit
LOWEST, HIGHEST = JOINT_LOWER + JOINT_MARGIN, JOINT_UPPER - JOINT_MARGIN


@given(anything, anything, anything, periods)
def test_never_faster_than_the_limit_whatever_comes_in(wanted, previous, joints, period):
    rates = limit_joint_rates(wanted, previous, joints, period)
    assert (np.abs(rates) <= MAX_JOINT_SPEED).all()  # false for NaN


@given(anything, speeds, periods)
def test_acceleration_is_bounded_away_from_the_position_limits(wanted, previous, period):
    rates = limit_joint_rates(wanted, previous, MID, period)
    assert (np.abs(rates - previous) <= MAX_JOINT_ACCELERATION * period + 1e-12).all()


@given(st.lists(st.tuples(anything, st.integers(1, 60)), min_size=1, max_size=8), positions, periods)
def test_no_sequence_of_commands_crosses_a_position_limit_or_needs_more_acceleration(commands, start, period):
    joints, rates = np.clip(start, LOWEST, HIGHEST), np.zeros(6)
    for wanted, ticks in commands:
        for _ in range(ticks):
            before, rates = rates, limit_joint_rates(wanted, rates, joints, period)
            joints = joints + rates * period
            assert (np.abs(rates - before) <= MAX_JOINT_ACCELERATION * period + 1e-9).all()
            assert (joints >= LOWEST - 1e-9).all()
            assert (joints <= HIGHEST + 1e-9).all()


@given(st.integers(0, 5), st.sampled_from([-1.0, 1.0]), periods)
def test_a_joint_sent_to_its_limit_at_full_speed_arrives_and_stands(joint, side, period):
    joints, rates = np.zeros(6), np.zeros(6)
    wanted = np.zeros(6)
    wanted[joint] = side * MAX_JOINT_SPEED[joint]
    for _ in range(round(4.0 / period)):
        rates = limit_joint_rates(wanted, rates, joints, period)
        joints = joints + rates * period
    assert joints[joint] == pytest.approx(side * HIGHEST[joint], abs=1e-6)
    assert np.abs(rates).max() < 1e-6


@given(positions, periods)
def test_beyond_a_limit_only_the_way_back_is_open(start, period):
    for limit, side in ((JOINT_UPPER, 1.0), (JOINT_LOWER, -1.0)):
        outside = limit + side * np.abs(start)
        assert np.array_equal(limit_joint_rates(np.full(6, side * 0.01), np.zeros(6), outside, period), np.zeros(6))
        back = np.full(6, -side * 0.01)
        assert np.array_equal(limit_joint_rates(back, np.zeros(6), outside, period), back)


@given(anything, st.sampled_from([np.nan, np.inf, -np.inf]), st.integers(0, 5), speeds, periods)
def test_a_command_that_is_not_finite_brakes_along_the_present_direction(wanted, bad, joint, previous, period):
    wanted = wanted.copy()
    wanted[joint] = bad
    ticks = int(np.ceil(np.abs(previous / MAX_JOINT_ACCELERATION).max() / period - 1e-9))
    rates = previous
    for tick in range(1, ticks + 1):
        rates = limit_joint_rates(wanted, rates, MID, period)
        remaining = max(0.0, 1.0 - tick * period / np.abs(previous / MAX_JOINT_ACCELERATION).max())
        assert np.allclose(rates, remaining * previous, atol=1e-9)
    assert np.allclose(rates, 0.0, atol=1e-9)


@given(anything, speeds, st.integers(0, 5), periods)
def test_an_unknown_position_brakes_and_an_unknown_rate_counts_as_standstill(wanted, previous, joint, period):
    unknown = np.zeros(6)
    unknown[joint] = np.nan
    braking = limit_joint_rates(np.zeros(6), previous, MID, period)
    assert np.array_equal(limit_joint_rates(wanted, previous, unknown, period), braking)
    assert np.array_equal(limit_joint_rates(wanted, unknown, MID, period), np.zeros(6))


@given(six(st.floats(-100.0, 100.0)), periods)
def test_the_direction_is_kept_when_only_the_speed_binds(wanted, period):
    excess = max(1.0, np.abs(wanted / MAX_JOINT_SPEED).max())
    at_full_speed = wanted / excess
    assert np.allclose(limit_joint_rates(wanted, at_full_speed, MID, period), at_full_speed, atol=1e-12)


@given(six(st.floats(-100.0, 100.0)), periods)
def test_the_direction_is_kept_when_starting_from_rest(wanted, period):
    rates = limit_joint_rates(wanted, np.zeros(6), MID, period)
    # Parallel, and never the other way round.
    assert np.allclose(rates * np.linalg.norm(wanted), wanted * np.linalg.norm(rates), atol=1e-9)
    assert rates @ wanted >= 0.0


@given(positions, periods)
def test_zero_stays_zero(joints, period):
    assert np.array_equal(limit_joint_rates(np.zeros(6), np.zeros(6), joints, period), np.zeros(6))


@given(speeds, six(st.floats(-1.0, 1.0)), six(st.floats(-5.0, 5.0)), periods)
def test_a_feasible_command_passes_unchanged(previous, fraction, joints, period):
    change = 0.999 * fraction * MAX_JOINT_ACCELERATION * period
    wanted = np.clip(previous + change, -MAX_JOINT_SPEED, MAX_JOINT_SPEED)
    # 5 rad leave room to brake from full speed: v^2 / 2a = 0.33 rad, and a period.
    assert np.array_equal(limit_joint_rates(wanted, previous, joints, period), wanted)


def test_the_acceleration_limit_leaves_room_for_the_tools_own_ramp_in_the_whole_workspace():
    worst = np.zeros(6)  # (6,) [rad/s^2] for the tool's acceleration, in its worst direction
    for position in itertools.product(*np.linspace(WORKSPACE.lower, WORKSPACE.upper, 5).T):
        joints, _ = solve_inverse(np.array(position), TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
        inverse = np.linalg.inv(jacobian(joints, TCP_OFFSET))[:, :3]
        worst = np.maximum(worst, np.linalg.norm(inverse, axis=1) * MAX_LINEAR_ACCELERATION)
    assert (worst <= MAX_JOINT_ACCELERATION / 1.4).all()


@settings(max_examples=100, deadline=None)
@given(
    arrays(np.float64, (5, 6), elements=st.floats(-4.0, 4.0)),
    arrays(np.float64, 6, elements=st.floats(-0.2, 0.2)),
    st.floats(0.0, 1.0),
)
def test_a_plan_is_limited_as_its_ticks_are(wanted, previous, share):
    """Both where it keeps clear of the limits (small shares of `wanted`) and where it does not."""
    joints, wanted = ELBOW_UP, share**3 * wanted
    expected, before = [], previous
    for row in wanted:
        before = limit_joint_rates(row, before, joints, TICK)
        expected.append(before)
    assert np.allclose(limit_joint_plan(wanted, previous, joints, TICK), expected, atol=1e-12)
