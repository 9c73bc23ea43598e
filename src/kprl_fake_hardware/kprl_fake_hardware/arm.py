"""The UR5 as its controller sees it: joints and tool, in the controller's frame `base`.

`kprl.control.kinematics` computes in `base_link`, which is `base` turned by half a turn about z. A pose on the wire is
(x, y, z, rx, ry, rz): position [m] and rotation vector [rad] of the tool centre point in `base`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from kprl.control import kinematics

Array = npt.NDArray[np.float64]

HALF_TURN = np.diag([-1.0, -1.0, 1.0])
_HALF_TURN_TWIST = np.array([-1.0, -1.0, 1.0, -1.0, -1.0, 1.0])
JOINT_LIMIT = 2.0 * math.pi  # [rad] either way, UR5 user manual
MAX_JOINT_SPEED = math.pi  # [rad/s], UR5 user manual: 180 degrees a second
HOME = kinematics.ELBOW_UP  # tool pointing down
SOLVED = 1e-5  # [m] and [rad] of error that counts as a solution


class Arm:
    """Where the joints are and how fast they turn; the tool centre point follows from `tcp`, a pose from the flange."""

    def __init__(self, joints: Array = HOME) -> None:
        self.joints = np.array(joints, dtype=np.float64)  # (6,) [rad]
        self.rates = np.zeros(6)  # (6,) [rad/s]
        self.tcp = np.zeros(6)  # pose of the tool centre point in the flange's frame
        self._tcp_matrix = np.eye(4)

    def set_tcp(self, pose: Array) -> None:
        """What `set_tcp` of URScript does."""
        self.tcp = np.array(pose, dtype=np.float64)
        self._tcp_matrix = to_matrix(self.tcp)

    def advance(self, rates: Array, period: float) -> None:
        """Turn the joints with `rates` (6,) [rad/s] for `period` [s]."""
        self.rates = rates
        self.joints = self.joints + rates * period

    @property
    def at_rest(self) -> bool:
        """No joint turns."""
        return not self.rates.any()

    def pose_and_jacobian(self, joints: Array | None = None) -> tuple[Array, Array]:
        """Pose (4, 4) of the tool centre point in `base` and its geometric Jacobian (6, 6), at `joints` or as it is."""
        flange, tool_jacobian = kinematics.tool_and_jacobian(self.joints if joints is None else joints)
        tool_jacobian = tool_jacobian * _HALF_TURN_TWIST[:, None]
        pose = np.eye(4)
        pose[:3, :3] = HALF_TURN @ flange[:3, :3]
        pose[:3, 3] = HALF_TURN @ flange[:3, 3]
        x, y, z = (pose[:3, :3] @ self._tcp_matrix[:3, 3]).tolist()
        tool_jacobian[:3] += np.array([[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]]) @ tool_jacobian[3:]  # omega x lever
        return pose @ self._tcp_matrix, tool_jacobian

    def tool_pose(self, joints: Array | None = None) -> Array:
        """Pose on the wire (6,)."""
        return to_vector(self.pose_and_jacobian(joints)[0])

    def inverse(self, pose: Array, near: Array | None = None) -> Array | None:
        """Joints (6,) that put the tool centre point at `pose` (6,), near `near` or where they are, or nothing."""
        flange = to_matrix(pose) @ np.linalg.inv(self._tcp_matrix)
        position, rotation = HALF_TURN @ flange[:3, 3], HALF_TURN @ flange[:3, :3]
        ahead = kinematics.ELBOW_UP.copy()
        ahead[0] = math.atan2(position[1], position[0])  # facing the target, for what Newton cannot reach from here
        for seed in (self.joints if near is None else near, ahead):
            joints, error = kinematics.solve_inverse(position, rotation, seed, iterations=60)
            if error < SOLVED and bool((np.abs(joints) <= JOINT_LIMIT).all()):
                return joints
        return None


def to_matrix(pose: Array) -> Array:
    """Pose on the wire (6,) to a homogeneous matrix (4, 4), by Rodrigues' formula."""
    matrix = np.eye(4)
    matrix[:3, 3] = pose[:3]
    angle = float(np.linalg.norm(pose[3:]))
    if angle > 0.0:
        x, y, z = (pose[3:] / angle).tolist()
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        matrix[:3, :3] += math.sin(angle) * cross + (1.0 - math.cos(angle)) * cross @ cross
    return matrix


def to_vector(matrix: Array) -> Array:
    """Homogeneous matrix (4, 4) to a pose on the wire (6,); the rotation vector is at most half a turn long."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = matrix[:3, :3].tolist()
    # The quaternion's largest part is found first: the others are divided by it.
    parts = (1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz)
    quaternions = (
        (parts[0], zy - yz, xz - zx, yx - xy),
        (zy - yz, parts[1], xy + yx, xz + zx),
        (xz - zx, xy + yx, parts[2], yz + zy),
        (yx - xy, xz + zx, yz + zy, parts[3]),
    )
    w, x, y, z = quaternions[parts.index(max(parts))]
    if w < 0.0:
        w, x, y, z = -w, -x, -y, -z
    sine = math.sqrt(x * x + y * y + z * z)
    scale = 2.0 * math.atan2(sine, w) / sine if sine > 0.0 else 0.0
    return np.array([*matrix[:3, 3].tolist(), scale * x, scale * y, scale * z])
