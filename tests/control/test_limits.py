"""The velocity limit: what comes out never breaks a limit, whatever goes in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kprl.control.limits import (
    CONTROL_PERIOD,
    MAX_LINEAR_ACCELERATION,
    MAX_LINEAR_SPEED,
    WORKSPACE,
    limit_velocity,
)

numbers = st.floats(-2.0, 2.0)
vectors = st.tuples(numbers, numbers, numbers).map(np.array)
inside = st.tuples(*(st.floats(low, high) for low, high in zip(WORKSPACE.lower, WORKSPACE.upper, strict=True))).map(
    np.array
)
slow = vectors.map(lambda v: v * MAX_LINEAR_SPEED / max(np.linalg.norm(v), MAX_LINEAR_SPEED))


@given(vectors, slow, inside)
def test_never_faster_than_the_limit_and_never_out_of_the_workspace(command, previous, position):
    velocity = limit_velocity(command, previous, position)
    assert np.linalg.norm(velocity) <= MAX_LINEAR_SPEED + 1e-9
    after = position + velocity * CONTROL_PERIOD
    assert (after >= np.array(WORKSPACE.lower) - 1e-9).all()
    assert (after <= np.array(WORKSPACE.upper) + 1e-9).all()


@given(vectors, slow)
def test_acceleration_is_bounded_away_from_the_walls(command, previous):
    velocity = limit_velocity(command, previous, WORKSPACE.centre)
    assert np.linalg.norm(velocity - previous) <= MAX_LINEAR_ACCELERATION * CONTROL_PERIOD + 1e-9


@given(inside, st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
def test_a_wall_removes_only_the_outward_part(position, along_x, along_y):
    on_the_floor = np.array([*WORKSPACE.centre[:2], WORKSPACE.lower[2]])
    velocity = limit_velocity(np.array([along_x, along_y, -0.05]), np.zeros(3), on_the_floor)
    assert velocity[2] == 0.0
    assert np.allclose(velocity[:2], [along_x, along_y])


def test_a_command_that_is_not_finite_brings_the_arm_to_rest():
    velocity = limit_velocity(np.array([np.nan, 0.1, 0.1]), np.array([0.1, 0.0, 0.0]), WORKSPACE.centre)
    assert np.allclose(velocity, 0.0)


def test_outside_the_workspace_only_the_way_back_is_open():
    above = np.array([*WORKSPACE.centre[:2], WORKSPACE.upper[2] + 0.05])
    assert limit_velocity(np.array([0.0, 0.0, 0.1]), np.zeros(3), above)[2] == 0.0
    assert limit_velocity(np.array([0.0, 0.0, -0.1]), np.zeros(3), above)[2] < 0.0
