"""What is sent to the arm: never outside a limit, never without a reason, and the way out always open."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kprl.control.commands import FUTURE, STALE, HeldCommand, refuse_age
from kprl.control.joint_limits import JOINT_MARGIN, JOINT_UPPER, MAX_JOINT_SPEED
from kprl.control.kinematics import ELBOW_UP, forward, resolved_rates, solve_inverse, tool_and_jacobian
from kprl.control.limits import MAX_LINEAR_ACCELERATION, MAX_LINEAR_SPEED, TICK, WORKSPACE, Workspace
from kprl.control.safety import JOINT_SLOW, SINGULAR_SLOW, SINGULAR_STOP, ArmState, safe_velocity

TOOL = 0.15
DOWN = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
ANYWHERE = Workspace((-2.0, -2.0, -2.0), (2.0, 2.0, 2.0))
vectors = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array)
inside = st.tuples(*(st.floats(low, high) for low, high in zip(WORKSPACE.lower, WORKSPACE.upper, strict=True))).map(
    np.array
)


def state(joints: np.ndarray, sent: np.ndarray | None = None) -> ArmState:
    return ArmState(joints, forward(joints, TOOL)[:3, 3], np.zeros(3) if sent is None else sent)


def at(position: np.ndarray) -> ArmState:
    joints, error = solve_inverse(position, DOWN, ELBOW_UP, TOOL)
    assert error < 1e-5
    return state(joints)


@settings(deadline=None, max_examples=60)
@given(vectors, inside)
def test_in_the_workspace_only_speed_acceleration_and_walls_count(wanted: np.ndarray, position: np.ndarray) -> None:
    arm = at(position)
    sent = safe_velocity(wanted, arm, TICK, TOOL)
    assert sent.reason == ""
    assert np.linalg.norm(sent.linear) <= min(MAX_LINEAR_SPEED, MAX_LINEAR_ACCELERATION * TICK) + 1e-9
    after = arm.position + TICK * sent.linear
    assert (after >= np.array(WORKSPACE.lower) - 1e-5).all() and (after <= np.array(WORKSPACE.upper) + 1e-5).all()


@pytest.mark.parametrize("broken", ["wanted", "joints", "position", "sent"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stops_the_arm_and_says_so(broken: str, value: float) -> None:
    arm = at(WORKSPACE.centre)
    parts = {"wanted": np.array([0.1, 0, 0]), "joints": arm.joints, "position": arm.position, "sent": np.zeros(3)}
    parts[broken] = np.full_like(parts[broken], value)
    sent = safe_velocity(parts.pop("wanted"), ArmState(**parts), TICK, TOOL)
    assert np.isfinite(sent.linear).all()
    if broken != "sent":  # an unknown last velocity counts as standstill, and the ramp begins there
        assert not sent.linear.any() and "not finite" in sent.reason


def near_singularity(elbow: float) -> np.ndarray:
    """The stretched arm: the condition grows without bound as the elbow straightens."""
    lift = -0.6 - elbow / 2  # forwards and up, so that the elbow is the one thing that is nearly singular
    return np.array([0.0, lift, elbow, -np.pi / 2 - lift - elbow, -np.pi / 2, 0.0])


def ahead(joints: np.ndarray) -> np.ndarray:
    """The direction in which the tool comes nearer to the stretched arm fastest, 0.1 m/s."""
    _, jacobian = tool_and_jacobian(joints, TOOL)
    rates = [resolved_rates(jacobian, np.concatenate([axis, np.zeros(3)]))[2] for axis in np.eye(3)]
    return -0.1 * np.sign(joints[2]) * np.array(rates) / np.linalg.norm(rates)


def test_towards_a_singularity_it_slows_down_and_stops_and_may_leave() -> None:
    shares = []
    for elbow in (1.2, 0.6, 0.5, 0.42, 0.3, 0.1):
        joints = near_singularity(elbow)
        condition = np.linalg.cond(tool_and_jacobian(joints, TOOL)[1])
        sent = safe_velocity(ahead(joints), state(joints), 10.0, TOOL, ANYWHERE)
        share = np.linalg.norm(sent.linear) / 0.1
        shares.append(share)
        expected = np.clip((SINGULAR_STOP - condition) / (SINGULAR_STOP - SINGULAR_SLOW), 0, 1)
        assert share == pytest.approx(expected, abs=1e-6)
        assert ("singularity" in sent.reason) == (share < 1)
        out = safe_velocity(-ahead(joints), state(joints), 10.0, TOOL, ANYWHERE)
        assert out.linear @ ahead(joints) < 0 and "singularity" not in out.reason
        assert np.linalg.norm(out.linear) == pytest.approx(0.1) or "joint" in out.reason
    assert (np.diff(shares) < 1e-9).all() and shares[0] == pytest.approx(1) and shares[-1] == 0


def test_at_a_singularity_it_stands_and_says_what_to_do() -> None:
    """Stretched out: along the arm there is no way at all, and nothing that the joints could not follow."""
    arm = state(near_singularity(0.0))
    along = forward(arm.joints + [0, 0, 1e-3, -1e-3, 0, 0], TOOL)[:3, 3] - arm.position
    along -= forward(arm.joints + [0, 0, -1e-3, 1e-3, 0, 0], TOOL)[:3, 3] - arm.position
    inwards = np.cross(0.1 * along / np.linalg.norm(along), [0.0, 1.0, 0.0])
    for wanted in (inwards, -inwards):
        sent = safe_velocity(wanted, arm, 10.0, TOOL, ANYWHERE)
        assert np.linalg.norm(sent.linear) < 1e-3 and sent.reason


@settings(deadline=None, max_examples=100)
@given(vectors, st.tuples(*[st.floats(-6, 6)] * 6).map(np.array))
def test_no_joint_is_asked_for_more_than_its_speed(wanted: np.ndarray, joints: np.ndarray) -> None:
    arm = state(joints)
    sent = safe_velocity(wanted, arm, 10.0, TOOL, ANYWHERE).linear
    rates = resolved_rates(tool_and_jacobian(joints, TOOL)[1], np.concatenate([sent, np.zeros(3)]))
    if sent.any():
        assert (np.abs(rates) <= MAX_JOINT_SPEED * (1 + 1e-6)).all()


def test_towards_a_joint_limit_it_slows_down_and_stops_and_may_leave() -> None:
    arm = at(WORKSPACE.centre)
    for room, share in ((2 * JOINT_SLOW, 1.0), (0.5 * (JOINT_SLOW + JOINT_MARGIN), 0.5), (JOINT_MARGIN, 0.0)):
        joints = arm.joints.copy()
        joints[0] = JOINT_UPPER[0] - room  # a turn more or less moves the whole arm about its base
        towards = forward(joints, TOOL)[:3, 3]
        direction = 0.1 * np.array([-towards[1], towards[0], 0.0]) / np.linalg.norm(towards[:2])  # pan turns that way
        sent = safe_velocity(direction, state(joints), 10.0, TOOL, ANYWHERE)
        assert np.linalg.norm(sent.linear) == pytest.approx(0.1 * share, abs=1e-3)
        assert ("joint 1" in sent.reason) == (share < 1)
        back = safe_velocity(-direction, state(joints), 10.0, TOOL, ANYWHERE)
        assert np.linalg.norm(back.linear) == pytest.approx(0.1) and back.reason == ""


def test_stale_and_future_stamps_are_refused() -> None:
    assert refuse_age("/ee_twist_cmd", 10.0, 10.0 + 0.9 * STALE) == ""
    assert "0.150 s old" in refuse_age("/ee_twist_cmd", 10.0, 10.15)
    assert refuse_age("/ee_twist_cmd", 10.0 + 0.9 * FUTURE, 10.0) == ""
    assert "ahead of this machine's clock" in refuse_age("/ee_twist_cmd", 10.1, 10.0)
    assert refuse_age("/ee_twist_cmd", 0.0, 1e9)  # a jump of the clock


def test_a_forgotten_command_is_not_taken_up_again() -> None:
    held = HeldCommand(0.05)
    held.offer_twist(np.array([0.1, 0, 0]), 1.0)
    assert held.command(1.01).linear.any()
    held.forget_twist()
    assert not held.command(1.02).linear.any() and not held.begun and not held.stopped_by_dead_man(9.0)
