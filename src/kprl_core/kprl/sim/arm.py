"""The UR5 in simulation: end-effector velocity in, joint motion out, as speedL does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kprl.control.kinematics import ELBOW_UP, JOINT_NAMES, forward, solve_inverse
from kprl.control.limits import CONTROL_PERIOD, WORKSPACE, limit_velocity
from kprl.errors import KprlError
from kprl.sim.assets.make_urdf import EFFORT, TCP_OFFSET
from kprl.sim.bullet import Bullet

Array = npt.NDArray[np.float64]

# The tool points down and the fingers close along y of base_link: across the camera's picture.
TOOL_DOWN: Array = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]])
MAX_JOINT_SPEED = np.pi  # [rad/s] of every UR5 joint
RESYNC_DISTANCE = 0.02  # [m] between wanted and real tool position beyond which the wanted one is given up
INVERSE_TOLERANCE = 1e-4  # [m, rad]


class Arm:
    """Follows Cartesian velocities with the tool pointing down; the velocity is held until replaced."""

    def __init__(self, bullet: Bullet, body: int) -> None:
        self._bullet, self._body = bullet, body
        names = bullet.joint_indices(body)
        self._joints = [names[name] for name in JOINT_NAMES]
        self._wanted = np.zeros(3)  # (3,) [m] where the tool should be at the end of the period
        self.velocity = np.zeros(3)  # (3,) [m/s] applied during the last period
        self._solution = ELBOW_UP

    def place(self, position: Array) -> None:
        """Put the tool centre point at `position` (3,) [m], at rest, without physics."""
        joints, error = solve_inverse(position, TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
        if error > INVERSE_TOLERANCE:
            raise KprlError(f"the arm cannot reach {np.round(position, 3)}: choose a position nearer to the workspace")
        self._solution, self._wanted, self.velocity = joints, position.copy(), np.zeros(3)
        self._bullet.set_joints(self._body, self._joints, list(joints))
        self._bullet.drive_joints(self._body, self._joints, [0.0] * 6, EFFORT)

    def joint_positions(self) -> Array:
        """Joint positions (6,) [rad]."""
        return self._bullet.joint_positions(self._body, self._joints)

    def tool_pose(self, joints: Array) -> Array:
        """Pose (4, 4) of the tool centre point in `base_link` at given joints."""
        return forward(joints, TCP_OFFSET)

    def command(self, linear: Array) -> None:
        """Set the motors for one control period of tool velocity `linear` (3,) [m/s], after limits."""
        joints = self.joint_positions()
        position = self.tool_pose(joints)[:3, 3]
        if np.linalg.norm(position - self._wanted) > RESYNC_DISTANCE:
            # Something holds the arm: wanting more and more would let it jump when it comes free.
            self._wanted = position
        self.velocity = limit_velocity(linear, self.velocity, self._wanted, WORKSPACE)
        self._wanted = self._wanted + self.velocity * CONTROL_PERIOD
        self._solution, _ = solve_inverse(self._wanted, TOOL_DOWN, self._solution, TCP_OFFSET, iterations=3)
        rates = np.clip((self._solution - joints) / CONTROL_PERIOD, -MAX_JOINT_SPEED, MAX_JOINT_SPEED)
        self._bullet.drive_joints(self._body, self._joints, list(rates), EFFORT)
