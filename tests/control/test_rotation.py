"""Rotations against scipy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from kprl.control.rotation import about_z, to_matrix, to_quaternion

quaternions = (
    arrays(np.float64, 4, elements=st.floats(-1.0, 1.0))
    .filter(lambda q: np.linalg.norm(q) > 0.1)
    .map(lambda q: q / np.linalg.norm(q))
)


@given(quaternions)
def test_matrix_is_scipys(quaternion):
    assert np.allclose(to_matrix(quaternion), Rotation.from_quat(quaternion).as_matrix(), atol=1e-12)


@given(quaternions)
def test_quaternion_is_scipys_up_to_sign(quaternion):
    rotation = Rotation.from_quat(quaternion).as_matrix()
    found = to_quaternion(rotation)
    assert np.isclose(np.linalg.norm(found), 1.0)
    assert np.isclose(abs(found @ quaternion), 1.0)
    assert found[np.argmax(np.abs(found))] > 0


@given(st.floats(-7.0, 7.0))
def test_turn_about_z_is_scipys(angle):
    assert np.isclose(abs(np.dot(about_z(angle), Rotation.from_euler("z", angle).as_quat())), 1.0)
