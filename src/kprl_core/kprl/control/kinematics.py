"""Kinematics of the UR5 from its published Denavit-Hartenberg parameters.

Frames: `base` is the controller's frame; `base_link` (ROS) is `base` turned by 180 degrees about z.
All poses here are in `base_link`. `tool0` is the flange, z along the tool.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

JOINT_NAMES = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
DH_A = np.array([0.0, -0.42500, -0.39225, 0.0, 0.0, 0.0])  # [m]
DH_D = np.array([0.089159, 0.0, 0.0, 0.10915, 0.09465, 0.0823])  # [m]
DH_ALPHA = np.array([np.pi / 2, 0.0, 0.0, np.pi / 2, -np.pi / 2, 0.0])  # [rad]
_COS_ALPHA, _SIN_ALPHA = np.cos(DH_ALPHA).round(15), np.sin(DH_ALPHA).round(15)

# Elbow-up, tool pointing down: the solution branch that every inverse solution stays on.
ELBOW_UP = np.array([0.0, -np.pi / 2, np.pi / 2, -np.pi / 2, -np.pi / 2, -np.pi / 2])  # [rad]


def joint_frames(joints: Array) -> Array:
    """Poses of the base and of the six link frames in `base_link`, (7, 4, 4); the last one is `tool0`."""
    frames = np.empty((7, 4, 4))
    frames[0] = np.diag([-1.0, -1.0, 1.0, 1.0])  # base_link -> base: half a turn about z
    cos, sin = np.cos(joints), np.sin(joints)
    for i in range(6):
        ca, sa = _COS_ALPHA[i], _SIN_ALPHA[i]
        link = np.array(
            [
                [cos[i], -sin[i] * ca, sin[i] * sa, DH_A[i] * cos[i]],
                [sin[i], cos[i] * ca, -cos[i] * sa, DH_A[i] * sin[i]],
                [0.0, sa, ca, DH_D[i]],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        frames[i + 1] = frames[i] @ link
    return frames


def forward(joints: Array, tool_offset: float = 0.0) -> Array:
    """Pose (4, 4) in `base_link` of the point `tool_offset` [m] along the z axis of `tool0`."""
    pose = joint_frames(joints)[6].copy()
    pose[:3, 3] += tool_offset * pose[:3, 2]
    return pose


def jacobian(joints: Array, tool_offset: float = 0.0) -> Array:
    """Geometric Jacobian (6, 6) in `base_link`: joint rates [rad/s] to linear [m/s] over angular [rad/s]."""
    return _jacobian_of(joint_frames(joints), tool_offset)


def _jacobian_of(frames: Array, tool_offset: float) -> Array:
    axes = frames[:6, :3, 2]  # (6, 3) z axes
    point = frames[6, :3, 3] + tool_offset * frames[6, :3, 2]
    return np.vstack([_cross(axes, point - frames[:6, :3, 3]).T, axes.T])


def _cross(first: Array, second: Array) -> Array:
    """Cross products of rows (N, 3); numpy's own spends ten times as long on checking its arguments."""
    x, y, z = first.T
    u, v, w = second.T
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=1)


def solve_inverse(
    position: Array,
    rotation: Array,
    seed: Array,
    tool_offset: float = 0.0,
    iterations: int = 20,
    tolerance: float = 1e-6,
) -> tuple[Array, float]:
    """Joints [rad] near `seed` that put the tool at `position` (3,) with `rotation` (3, 3), by Newton's method.

    Returns the joints and the remaining error (the larger of metres and radians); the caller judges the error.
    """
    joints = np.array(seed, dtype=np.float64)
    error = np.inf
    for iteration in range(iterations + 1):
        frames = joint_frames(joints)
        current = frames[6, :3, :3]
        offset = position - (frames[6, :3, 3] + tool_offset * current[:, 2])
        # Small-angle rotation error in base_link: half the sum of the axes' cross products.
        turn = 0.5 * _cross(current.T, rotation.T).sum(axis=0)
        error = float(max(np.abs(offset).max(), np.abs(turn).max()))
        if error < tolerance or iteration == iterations:
            break
        step = np.linalg.solve(_jacobian_of(frames, tool_offset), np.concatenate([offset, turn]))
        joints += np.clip(step, -0.5, 0.5)  # a Newton step beyond this leaves the branch
    return joints, error
