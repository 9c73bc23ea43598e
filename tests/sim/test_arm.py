"""The simulated UR5 under velocity commands: ramped, delayed, held, within the limits of tool and joints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kprl.control.joint_limits import MAX_JOINT_ACCELERATION, MAX_JOINT_SPEED
from kprl.control.limits import (
    CONTROL_PERIOD,
    MAX_LINEAR_ACCELERATION,
    MAX_LINEAR_SPEED,
    TICK,
    TICKS,
    WORKSPACE,
)
from kprl.errors import KprlError
from kprl.sim.arm import TOOL_DOWN, Arm
from kprl.sim.assets.make_urdf import FOLDER
from kprl.sim.bullet import Bullet

SIDEWAYS = np.array([0.0, 0.2, 0.0])  # [m/s]
commands = st.lists(st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3).map(np.array), min_size=1, max_size=15)


@pytest.fixture(scope="module")
def bench():
    bullet = Bullet()
    yield bullet, Arm(bullet, bullet.load_urdf(FOLDER / "ur5_2f85.urdf"))
    bullet.close()


def begin(bench, delay: int = 0, gain: float = 1.0) -> Arm:
    arm = bench[1]
    arm.place(WORKSPACE.centre)
    arm.delay, arm.gain = delay, gain
    return arm


def period(bench, command: np.ndarray) -> np.ndarray:
    """One control period; returns the joint rates of its ticks."""
    bullet, arm = bench
    rates = arm.plan(command)
    for tick in rates:
        arm.drive(tick)
        bullet.step(2)
    arm.observe()
    return rates


def tool(arm: Arm) -> np.ndarray:
    return arm.observe()[1]


def test_a_velocity_is_approached_at_the_acceleration_limit_and_then_held(bench):
    arm, speeds = begin(bench), []
    for _ in range(5):
        period(bench, SIDEWAYS)
        speeds.append(arm.velocity[1])
    ramp = MAX_LINEAR_ACCELERATION * CONTROL_PERIOD
    assert np.allclose(speeds, np.minimum(ramp * np.arange(1, 6), 0.2))
    before = tool(arm)[1, 3]
    period(bench, SIDEWAYS)
    assert np.isclose(tool(arm)[1, 3] - before, 0.2 * CONTROL_PERIOD, atol=3e-4)


def test_a_command_is_followed_after_the_delay_and_the_one_before_until_then(bench):
    arm = begin(bench, delay=2)
    period(bench, SIDEWAYS)
    assert np.isclose(arm.velocity[1], MAX_LINEAR_ACCELERATION * (TICKS - 2) * TICK)
    for _ in range(3):
        period(bench, SIDEWAYS)
    before = tool(arm)[1, 3]
    period(bench, np.zeros(3))  # two ticks more at full speed, then braking at the limit
    two_ticks, braked = 0.2 * 2 * TICK, 0.2**2 / (2 * MAX_LINEAR_ACCELERATION)
    assert two_ticks < tool(arm)[1, 3] - before < two_ticks + braked + 3e-4


@pytest.mark.parametrize("gain", [0.9, 1.1])
def test_the_velocity_gain_scales_what_the_tool_does_not_what_was_sent(bench, gain):
    arm = begin(bench, gain=gain)
    for _ in range(3):
        period(bench, 0.5 * SIDEWAYS)
    before = tool(arm)[1, 3]
    for _ in range(4):
        period(bench, 0.5 * SIDEWAYS)
    assert np.isclose(arm.velocity[1], 0.1)
    assert np.isclose(tool(arm)[1, 3] - before, gain * 0.1 * 4 * CONTROL_PERIOD, rtol=0.02)


@settings(max_examples=25, deadline=None)
@given(commands, st.integers(0, 4))
def test_no_command_breaks_a_limit_or_tilts_the_tool(bench, wanted, delay):
    arm = begin(bench, delay=delay)
    velocity, rates = np.zeros(3), np.zeros(6)
    for command in wanted:
        for now in period(bench, command):
            assert (np.abs(now) <= MAX_JOINT_SPEED + 1e-9).all()
            assert (np.abs(now - rates) <= MAX_JOINT_ACCELERATION * TICK + 1e-9).all()
            rates = now
        assert np.linalg.norm(arm.velocity) <= MAX_LINEAR_SPEED + 1e-9
        assert (np.abs(arm.velocity - velocity) <= MAX_LINEAR_ACCELERATION * CONTROL_PERIOD + 1e-9).all()
        velocity = arm.velocity
        pose = tool(arm)
        assert np.allclose(pose[:3, :3], TOOL_DOWN, atol=0.01)
        assert (pose[:3, 3] > np.array(WORKSPACE.lower) - 1e-3).all()
        assert (pose[:3, 3] < np.array(WORKSPACE.upper) + 1e-3).all()


def test_an_arm_that_was_held_does_not_jump_when_it_comes_free(bench):
    bullet, arm = bench
    begin(bench)
    joints = arm.joint_positions()
    for _ in range(10):  # something holds the joints where they are, whatever the motors do
        arm.drive(arm.plan(SIDEWAYS)[-1])
        bullet.set_joints(arm._body, arm._joints, joints.tolist())
        arm.observe()
    before = tool(arm)[1, 3]
    period(bench, np.zeros(3))
    assert abs(tool(arm)[1, 3] - before) < 0.03


def test_what_the_arm_cannot_reach_is_refused(bench):
    with pytest.raises(KprlError, match="cannot reach"):
        bench[1].place(np.array([2.0, 0.0, 0.2]))
