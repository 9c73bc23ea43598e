"""From the controller's frame to base_link."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kprl.control.kinematics import forward
from kprl.control.rotation import to_matrix
from kprl_driver.frames import position_in_base_link, quaternion_in_base_link, twist_in_base
from kprl_fake_hardware.arm import Arm

joints = arrays(float, 6, elements=st.floats(-3.0, 3.0))


@given(joints)
def test_the_pose_on_the_wire_is_the_one_of_our_kinematics(q):
    on_the_wire, ours = Arm(q).tool_pose(), forward(q)
    assert np.allclose(position_in_base_link(on_the_wire.tolist()), ours[:3, 3], atol=1e-9)
    assert np.allclose(to_matrix(quaternion_in_base_link(on_the_wire.tolist())), ours[:3, :3], atol=1e-7)


def test_forward_is_forward():
    assert twist_in_base(np.array([0.1, -0.2, 0.3])) == [-0.1, 0.2, 0.3, 0.0, 0.0, 0.0]
