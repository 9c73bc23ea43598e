"""Actions to commands: bounded, and refused when they are not numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kprl.action import (
    GRIPPER_HORIZON,
    GRIPPER_STROKE,
    MAX_GRIPPER_SPEED,
    action_to_command,
    knuckle_to_opening,
    opening_to_knuckle,
)
from kprl.control.limits import MAX_LINEAR_SPEED

openings = st.floats(0.0, GRIPPER_STROKE)


@given(arrays(np.float32, 4, elements=st.floats(-10, 10, width=32)), openings)
def test_commands_are_bounded(action, opening):
    command = action_to_command(action, opening)
    assert (np.abs(command.linear) <= MAX_LINEAR_SPEED).all()
    assert 0.0 <= command.opening <= np.float32(GRIPPER_STROKE)
    assert 0.0 <= command.gripper_speed <= np.float32(MAX_GRIPPER_SPEED)


def test_by_hand():
    command = action_to_command(np.array([1.0, -0.5, 0.0, -1.0]), 0.05)
    assert np.allclose(command.linear, [0.25, -0.125, 0.0])
    assert np.isclose(command.opening, 0.05 - 0.15 * GRIPPER_HORIZON)


@pytest.mark.parametrize("bad", [[np.nan, 0, 0, 0], [0, 0, np.inf, 0], [0, 0, 0], [[0, 0, 0, 0]]])
def test_what_is_not_four_finite_numbers_is_refused(bad):
    with pytest.raises(ValueError, match="is not 4 finite numbers"):
        action_to_command(np.array(bad), 0.05)


@given(openings)
def test_knuckle_angle_and_opening_are_inverse(opening):
    assert np.isclose(knuckle_to_opening(opening_to_knuckle(opening)), opening)
