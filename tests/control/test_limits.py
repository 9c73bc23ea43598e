"""The velocity limit: what comes out never breaks a limit, whatever goes in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprl.control.braking import highest_speed
from kprl.control.limits import (
    MAX_LINEAR_ACCELERATION,
    MAX_LINEAR_SPEED,
    TICK,
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
    after = position + velocity * TICK
    assert (after >= np.array(WORKSPACE.lower) - 1e-9).all()
    assert (after <= np.array(WORKSPACE.upper) + 1e-9).all()


@given(st.lists(vectors, min_size=1, max_size=40), inside)
def test_whatever_is_commanded_the_walls_need_no_more_than_the_acceleration_limit(commands, position):
    velocity = np.zeros(3)
    for command in commands:
        for _ in range(3):
            before, velocity = velocity, limit_velocity(command, velocity, position)
            # Along each axis: a wall may cut one component, the speed limit has scaled all.
            assert (np.abs(velocity - before) <= MAX_LINEAR_ACCELERATION * TICK + 1e-9).all()
            position = position + velocity * TICK
            assert (position >= np.array(WORKSPACE.lower) - 1e-9).all()
            assert (position <= np.array(WORKSPACE.upper) + 1e-9).all()


@given(vectors, slow)
def test_acceleration_is_bounded_away_from_the_walls(command, previous):
    velocity = limit_velocity(command, previous, WORKSPACE.centre)
    assert np.linalg.norm(velocity - previous) <= MAX_LINEAR_ACCELERATION * TICK + 1e-9


@given(inside, st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
def test_a_wall_removes_only_the_outward_part(position, along_x, along_y):
    on_the_floor = np.array([*WORKSPACE.centre[:2], WORKSPACE.lower[2]])
    velocity = limit_velocity(np.array([along_x, along_y, -0.05]), np.array([along_x, along_y, 0.0]), on_the_floor)
    assert velocity[2] == 0.0
    assert np.allclose(velocity[:2], [along_x, along_y])


def test_a_command_that_is_not_finite_brings_the_arm_to_rest():
    velocity = np.array([0.1, 0.0, 0.0])
    for _ in range(round(0.1 / MAX_LINEAR_ACCELERATION / TICK) + 1):
        velocity = limit_velocity(np.array([np.nan, 0.1, 0.1]), velocity, WORKSPACE.centre)
    assert np.array_equal(velocity, np.zeros(3))


def test_outside_the_workspace_only_the_way_back_is_open():
    above = np.array([*WORKSPACE.centre[:2], WORKSPACE.upper[2] + 0.05])
    assert limit_velocity(np.array([0.0, 0.0, 0.1]), np.zeros(3), above)[2] == 0.0
    assert limit_velocity(np.array([0.0, 0.0, -0.1]), np.zeros(3), above)[2] < 0.0


def test_a_position_that_is_not_finite_brings_the_arm_to_rest():
    velocity = np.array([0.1, 0.0, -0.1])
    for _ in range(round(0.15 / MAX_LINEAR_ACCELERATION / TICK) + 1):
        velocity = limit_velocity(np.array([0.2, 0.1, 0.1]), velocity, np.array([np.nan, 0.0, np.inf]))
    assert np.array_equal(velocity, np.zeros(3))


@given(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(1e303)))
def test_the_braking_speed_is_a_number_for_any_room(room):
    speed = highest_speed(room, MAX_LINEAR_ACCELERATION, TICK)
    assert 0.0 <= speed < np.inf
    assert speed == 0.0 or room > 0.0
    if 0.0 < room < 1e3:
        assert speed**2 / (2 * MAX_LINEAR_ACCELERATION) <= room + 1e-9


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_at_full_speed_into_a_wall_it_brakes_gently_and_stops_at_the_wall(axis, sign):
    command, velocity, position = np.zeros(3), np.zeros(3), WORKSPACE.centre
    command[axis] = 2.0 * sign
    speeds = []
    for _ in range(300):
        before, velocity = velocity, limit_velocity(command, velocity, position)
        assert np.abs(velocity - before).max() <= MAX_LINEAR_ACCELERATION * TICK + 1e-9
        position = position + velocity * TICK
        speeds.append(abs(velocity[axis]))
    assert np.isclose(max(speeds), MAX_LINEAR_SPEED)
    wall = (WORKSPACE.upper if sign > 0 else WORKSPACE.lower)[axis]
    assert 0.0 <= sign * (wall - position[axis]) < 1e-4
