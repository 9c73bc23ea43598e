"""Kinematics against PyBullet's own forward kinematics and against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kprl.control.kinematics import ELBOW_UP, JOINT_NAMES, forward, jacobian, solve_inverse
from kprl.control.limits import WORKSPACE
from kprl.sim.arm import TOOL_DOWN
from kprl.sim.assets.make_urdf import FOLDER, TCP_OFFSET, prism_obj, robot_urdf

angles = st.lists(st.floats(-3.1, 3.1), min_size=6, max_size=6).map(np.array)


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
@given(st.tuples(*(st.floats(low, high) for low, high in zip(WORKSPACE.lower, WORKSPACE.upper, strict=True))))
def test_inverse_reaches_the_whole_workspace(position):
    joints, error = solve_inverse(np.array(position), TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
    assert error < 1e-6
    pose = forward(joints, TCP_OFFSET)
    assert np.allclose(pose[:3, 3], position, atol=1e-5)
    assert np.allclose(pose[:3, :3], TOOL_DOWN, atol=1e-5)


def test_inverse_reports_what_it_cannot_reach():
    _, error = solve_inverse(np.array([2.0, 0.0, 0.2]), TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
    assert error > 0.1


def test_the_shipped_urdf_is_what_the_parameters_give():
    assert (FOLDER / "ur5_2f85.urdf").read_text() == robot_urdf()
    assert (FOLDER / "prism8.obj").read_text() == prism_obj()
