"""Kinematics against the product of exponentials, poses worked out by hand, PyBullet and finite differences."""

from __future__ import annotations

import modern_robotics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kprl.control.kinematics import (
    ELBOW_UP,
    JOINT_NAMES,
    forward,
    jacobian,
    joint_frames,
    pose_error,
    resolved_rates,
    solve_inverse,
    tool_and_jacobian,
)
from kprl.control.limits import WORKSPACE
from kprl.sim.arm import TOOL_DOWN
from kprl.sim.assets.make_urdf import FOLDER, TCP_OFFSET, prism_obj, robot_urdf

angles = st.lists(st.floats(-3.1, 3.1), min_size=6, max_size=6).map(np.array)
turns = st.lists(st.floats(-2 * np.pi, 2 * np.pi), min_size=6, max_size=6).map(np.array)
# modern_robotics takes an angle below 1e-6 rad for zero.
coarse_turns = turns.map(lambda joints: joints.round(5))
offsets = st.sampled_from([0.0, TCP_OFFSET]) | st.floats(-0.3, 0.3)  # [m]
places = st.tuples(*(st.floats(low, high) for low, high in zip(WORKSPACE.lower, WORKSPACE.upper, strict=True))).map(
    np.array
)

# The UR5 as screw axes, from K. Lynch and F. Park, Modern Robotics (2017), example 4.5: link lengths W (across),
# L (along) and H (up) as Universal Robots publishes them. The example's fixed frame has the arm stretched out along +x
# at zero, which is base_link. This shares neither parameters nor formula with the Denavit-Hartenberg chain.
W1, W2, L1, L2, H1, H2 = 0.10915, 0.0823, 0.425, 0.39225, 0.089159, 0.09465  # [m]
HOME = np.array([[-1, 0, 0, L1 + L2], [0, 0, 1, W1 + W2], [0, 1, 0, H1 - H2], [0, 0, 0, 1]])  # tool0 at zero
SCREWS = np.array(
    [
        [0, 0, 1, 0, 0, 0],
        [0, 1, 0, -H1, 0, 0],
        [0, 1, 0, -H1, 0, L1],
        [0, 1, 0, -H1, 0, L1 + L2],
        [0, 0, -1, -W1, L1 + L2, 0],
        [0, 1, 0, H2 - H1, 0, L1 + L2],
    ]
).T  # (6, 6), a column a joint: angular over linear


def along_tool(offset: float) -> np.ndarray:
    """The tool's pose (4, 4) in tool0."""
    pose = np.eye(4)
    pose[2, 3] = offset
    return pose


@settings(deadline=None)
@given(coarse_turns, offsets)
def test_forward_is_the_product_of_exponentials(joints, offset):
    expected = modern_robotics.FKinSpace(HOME @ along_tool(offset), SCREWS, joints)
    assert np.allclose(forward(joints, offset), expected, rtol=0.0, atol=1e-9)


@settings(deadline=None)
@given(coarse_turns, offsets)
def test_jacobian_is_that_of_the_product_of_exponentials(joints, offset):
    angular, at_origin = np.split(modern_robotics.JacobianSpace(SCREWS, joints), 2)
    # The space Jacobian gives the velocity of the body's point at the origin: carry it to the tool.
    tool = modern_robotics.FKinSpace(HOME @ along_tool(offset), SCREWS, joints)[:3, 3]
    expected = np.vstack([at_origin + np.cross(angular.T, tool).T, angular])
    assert np.allclose(jacobian(joints, offset), expected, rtol=0.0, atol=1e-9)


@given(turns, offsets)
def test_the_closed_form_is_the_denavit_hartenberg_chain(joints, offset):
    frames = joint_frames(joints)
    pose, columns = tool_and_jacobian(joints, offset)
    assert np.allclose(pose, frames[6] @ along_tool(offset), rtol=0.0, atol=1e-12)
    axes, origins = frames[:6, :3, 2], frames[:6, :3, 3]
    expected = np.vstack([np.cross(axes, pose[:3, 3] - origins).T, axes.T])
    assert np.allclose(columns, expected, rtol=0.0, atol=1e-12)


# Position of tool0 in `base` (x and y of base_link negated), worked out from the parameters' meaning by hand.
# Zero: both limbs lie along the line a2 + a3 = -0.425 - 0.39225 in x; the offsets d4 and d6 both point sideways, to
# -y: -(0.10915 + 0.0823); d5 points down: 0.089159 - 0.09465.
# Upright, as PolyScope's home: everything stacks up, 0.089159 + 0.425 + 0.39225 + 0.09465; sideways as before.
# Wrist bent: from zero with the upper arm up and wrist 2 a quarter turn back (example 4.5 again, in mm): d5 now points
# to -x, d4 sideways, d6 up on top of both limbs: 0.089159 + 0.425 + 0.39225 + 0.0823.
HALF = np.pi / 2


@pytest.mark.parametrize(
    ("joints", "tool0_in_base"),
    [
        ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), (-0.81725, -0.19145, -0.005491)),
        ((0.0, -HALF, 0.0, -HALF, 0.0, 0.0), (0.0, -0.19145, 1.001059)),
        ((0.0, -HALF, 0.0, 0.0, HALF, 0.0), (-0.09465, -0.10915, 0.988709)),
    ],
    ids=["zero", "upright", "wrist bent"],
)
def test_poses_worked_out_by_hand(joints, tool0_in_base):
    expected = np.array(tool0_in_base) * [-1.0, -1.0, 1.0]
    assert np.allclose(forward(np.array(joints))[:3, 3], expected, rtol=0.0, atol=1e-12)


@pytest.fixture(scope="module")
def simulated_tool():
    import pybullet
    from pybullet_utils.bullet_client import BulletClient

    client = BulletClient(connection_mode=pybullet.DIRECT)
    body = client.loadURDF(str(FOLDER / "ur5_2f85.urdf"), useFixedBase=True)
    index = {client.getJointInfo(body, i)[1].decode(): i for i in range(client.getNumJoints(body))}

    def position(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        for name, value in zip(JOINT_NAMES, joints, strict=True):
            client.resetJointState(body, index[name], value)
        state = client.getLinkState(body, index["tool0-tcp"], computeForwardKinematics=True)
        return np.array(state[4]), np.array(client.getMatrixFromQuaternion(state[5])).reshape(3, 3)

    yield position
    client.disconnect()


@settings(max_examples=50, deadline=None)
@given(angles)
def test_forward_agrees_with_the_simulated_robot(simulated_tool, joints):
    position, rotation = simulated_tool(joints)
    pose = forward(joints, TCP_OFFSET)
    # PyBullet keeps link frames in single precision on loading.
    assert np.allclose(pose[:3, 3], position, atol=1e-5)
    assert np.allclose(pose[:3, :3], rotation, atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(angles)
def test_jacobian_is_the_derivative_of_forward(joints):
    step = 1e-6
    exact = jacobian(joints, TCP_OFFSET)
    for i in range(6):
        change = np.zeros(6)
        change[i] = step
        after, before = forward(joints + change, TCP_OFFSET), forward(joints - change, TCP_OFFSET)
        assert np.allclose((after[:3, 3] - before[:3, 3]) / (2 * step), exact[:3, i], atol=1e-6)
        spin = (after[:3, :3] - before[:3, :3]) / (2 * step) @ forward(joints, TCP_OFFSET)[:3, :3].T
        assert np.allclose([spin[2, 1], spin[0, 2], spin[1, 0]], exact[3:, i], atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(places)
def test_inverse_reaches_the_whole_workspace(position):
    joints, error = solve_inverse(position, TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
    assert error < 1e-6
    pose = forward(joints, TCP_OFFSET)
    assert np.allclose(pose[:3, 3], position, atol=1e-5)
    assert np.allclose(pose[:3, :3], TOOL_DOWN, atol=1e-5)


def test_inverse_reports_what_it_cannot_reach():
    _, error = solve_inverse(np.array([2.0, 0.0, 0.2]), TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
    assert error > 0.1


def test_inverse_from_a_singular_seed_reports_the_error():
    joints, error = solve_inverse(WORKSPACE.centre, TOOL_DOWN, np.zeros(6), TCP_OFFSET)
    assert error > 0.1
    assert np.isfinite(joints).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(places, min_size=2, max_size=8))
def test_inverse_stays_on_its_branch_along_a_path(corners):
    step = 0.0125  # [m] in a control period at full speed
    solution, _ = solve_inverse(corners[0], TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
    for start, end in zip(corners, corners[1:], strict=False):
        count = int(np.ceil(np.linalg.norm(end - start) / step))
        for position in np.linspace(start, end, count + 1)[1:]:
            before = solution
            solution, error = solve_inverse(position, TOOL_DOWN, before, TCP_OFFSET, iterations=3)
            assert error < 1e-6
            # No joint turns faster than the tool's speed asks for: a change of branch is a jump of a radian and more.
            assert np.abs(solution - before).max() < 0.1
    directly, _ = solve_inverse(corners[-1], TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
    assert np.allclose(solution, directly, atol=1e-4)
    assert -np.pi < solution[1] < 0.0 < solution[2] < np.pi  # shoulder up, elbow up


@given(angles, st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6).map(np.array))
def test_resolved_rates_move_the_tool_with_the_twist(joints, rates):
    columns = jacobian(joints, TCP_OFFSET)
    twist = columns @ rates
    found = resolved_rates(columns, twist)
    if np.linalg.cond(columns) < 1e6:  # nearer to a singularity, or at one, nothing is promised
        assert np.allclose(found, rates, atol=1e-8)
        both = resolved_rates(columns, np.stack([twist, -2.0 * twist], axis=1))
        assert np.allclose(both, np.stack([rates, -2.0 * rates], axis=1), atol=1e-8)


def test_resolved_rates_at_a_singularity_are_not_a_number():
    assert np.isnan(resolved_rates(np.zeros((6, 6)), np.ones(6))).all()


@given(angles, places, st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3).map(np.array), st.floats(0.0, 3.1))
def test_pose_error_is_the_motion_that_is_missing(joints, position, axis, angle):
    pose = forward(joints, TCP_OFFSET)
    length = np.linalg.norm(axis)
    vector = axis * angle / length if length > 1e-3 else np.zeros(3)  # [rad]
    turn = modern_robotics.MatrixExp3(modern_robotics.VecToso3(vector))
    miss = pose_error(pose, position, turn @ pose[:3, :3])
    assert np.allclose(miss[:3], position - pose[:3, 3], atol=1e-12)
    assert np.allclose(miss[3:], vector, atol=2e-6)


def test_half_a_turn_is_not_taken_for_none():
    assert np.abs(pose_error(np.eye(4), np.zeros(3), np.diag([1.0, -1.0, -1.0]))).max() == pytest.approx(np.pi)


def test_the_shipped_urdf_is_what_the_parameters_give():
    assert (FOLDER / "ur5_2f85.urdf").read_text() == robot_urdf()
    assert (FOLDER / "prism8.obj").read_text() == prism_obj()
