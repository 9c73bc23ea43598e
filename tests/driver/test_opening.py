"""Metres to registers of the 2F-85 and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprl.action import GRIPPER_STROKE
from kprl_driver.opening import force_to_register, opening_to_position, position_to_opening, speed_to_register
from kprl_fake_hardware.gripper import position_of

BIT = GRIPPER_STROKE / 227  # [m]


@given(st.floats(0.0, GRIPPER_STROKE))
def test_an_opening_comes_back_within_half_a_bit(opening):
    assert position_to_opening(opening_to_position(opening)) == pytest.approx(opening, abs=0.51 * BIT)


@given(st.floats(-0.1, 0.2), st.floats(-0.1, 0.2))
def test_the_wider_the_smaller_the_register(a, b):
    narrow, wide = sorted((a, b))
    assert 0 <= opening_to_position(wide) <= opening_to_position(narrow) <= 255


def test_the_ends_of_the_stroke_ask_for_all_of_it():
    assert (opening_to_position(GRIPPER_STROKE), opening_to_position(0.0)) == (0, 255)
    assert (position_to_opening(3), position_to_opening(230)) == (GRIPPER_STROKE, 0.0)
    assert (position_to_opening(0), position_to_opening(255)) == (GRIPPER_STROKE, 0.0)


@given(st.floats(0.0, GRIPPER_STROKE))
def test_it_reads_what_the_fake_gripper_says(opening):
    assert position_to_opening(position_of(opening)) == pytest.approx(opening, abs=0.51 * BIT)


@pytest.mark.parametrize(("speed", "register"), [(0.0, 0), (0.02, 0), (0.085, 128), (0.15, 255), (9.0, 255)])
def test_speed(speed, register):
    assert speed_to_register(speed) == register


@pytest.mark.parametrize(("force", "register"), [(0.0, 0), (20.0, 0), (235.0, 255), (1e9, 255)])
def test_force(force, register):
    assert force_to_register(force) == register
