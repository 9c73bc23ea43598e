"""Kinematics of the UR5 from its published Denavit-Hartenberg parameters.

Frames: `base` is the controller's frame; `base_link` (ROS) is `base` turned by 180 degrees about z.
All poses here are in `base_link`. `tool0` is the flange, z along the tool; "the tool" is the point `tool_offset` [m]
further along that axis, with the same orientation.
"""

from __future__ import annotations

import math

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
_, _A2, _A3, _, _, _ = DH_A.tolist()
_D1, _, _, _D4, _D5, _D6 = DH_D.tolist()

# Elbow-up, tool pointing down: the solution branch that every inverse solution stays on.
ELBOW_UP = np.array([0.0, -np.pi / 2, np.pi / 2, -np.pi / 2, -np.pi / 2, -np.pi / 2])  # [rad]
# The tool points down and the fingers close along y of base_link: across the camera's picture.
TOOL_DOWN: Array = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]])
MAX_STEP = 0.5  # [rad] of a joint in one Newton step; beyond this the step leaves the branch


def joint_frames(joints: Array) -> Array:
    """Poses of the base and of the six link frames in `base_link`, (7, 4, 4); the last one is `tool0`.

    The Denavit-Hartenberg chain as it is defined, for any parameters. `tool_and_jacobian` is what it comes to for
    these, and what the control loop calls.
    """
    cos, sin = np.cos(joints), np.sin(joints)
    zero, one = np.zeros(6), np.ones(6)
    links = np.array(
        [
            [cos, -sin * _COS_ALPHA, sin * _SIN_ALPHA, DH_A * cos],
            [sin, cos * _COS_ALPHA, -cos * _SIN_ALPHA, DH_A * sin],
            [zero, _SIN_ALPHA, _COS_ALPHA, DH_D],
            [zero, zero, zero, one],
        ]
    ).transpose(2, 0, 1)  # (6, 4, 4)
    frames = np.empty((7, 4, 4))
    frames[0] = np.diag([-1.0, -1.0, 1.0, 1.0])  # base_link -> base: half a turn about z
    for i in range(6):
        frames[i + 1] = frames[i] @ links[i]
    return frames


def forward(joints: Array, tool_offset: float = 0.0) -> Array:
    """Pose (4, 4) of the tool in `base_link`."""
    return tool_and_jacobian(joints, tool_offset)[0]


def jacobian(joints: Array, tool_offset: float = 0.0) -> Array:
    """Geometric Jacobian (6, 6) in `base_link`: joint rates [rad/s] to linear [m/s] over angular [rad/s]."""
    return tool_and_jacobian(joints, tool_offset)[1]


def tool_and_jacobian(joints: Array, tool_offset: float = 0.0) -> tuple[Array, Array]:
    """Pose (4, 4) of the tool in `base_link` and its geometric Jacobian (6, 6), see `forward` and `jacobian`.

    In plain floats because every physics step calls it: on 3-vectors numpy spends its time on the calls, ten times
    what the arithmetic takes. Joints 2, 3 and 4 turn about one horizontal direction, so the arm up to wrist 1 moves
    in a vertical plane: "out" is the horizontal direction in that plane, "side" the normal of it.
    """
    q1, q2, q3, q4, q5, q6 = joints.tolist()
    ox, oy = -math.cos(q1), -math.sin(q1)  # out = (ox, oy, 0); base_link is base turned by half a turn: both negative
    sx, sy = oy, -ox  # side = (sx, sy, 0), z axis of joints 2, 3, 4
    c23, s23 = math.cos(q2 + q3), math.sin(q2 + q3)
    c234, s234 = math.cos(q2 + q3 + q4), math.sin(q2 + q3 + q4)
    c5, s5, c6, s6 = math.cos(q5), math.sin(q5), math.cos(q6), math.sin(q6)

    # Axes of the wrist: u = x axis of wrist 1's frame at q4, v = z axis of joint 5, w = z axis of joint 6 and the tool.
    ux, uy, uz = ox * c234, oy * c234, s234
    vx, vy, vz = ox * s234, oy * s234, -c234
    wx, wy, wz = c5 * sx - s5 * ux, c5 * sy - s5 * uy, -s5 * uz
    hx, hy, hz = c5 * ux + s5 * sx, c5 * uy + s5 * sy, c5 * uz  # x axis of wrist 2's frame; its y axis is -v

    # Vectors from each joint's origin to the tool, from the tool inwards; joint 5's and joint 4's differ by d4 * side.
    reach = _D6 + tool_offset
    p6x, p6y, p6z = reach * wx, reach * wy, reach * wz
    p5x, p5y, p5z = p6x + _D5 * vx, p6y + _D5 * vy, p6z + _D5 * vz
    p4x, p4y, p4z = p5x + _D4 * sx, p5y + _D4 * sy, p5z
    p3x, p3y, p3z = p4x + _A3 * c23 * ox, p4y + _A3 * c23 * oy, p4z + _A3 * s23
    along, up = _A2 * math.cos(q2), _A2 * math.sin(q2)
    p2x, p2y, p2z = p3x + along * ox, p3y + along * oy, p3z + up
    tool_z = p2z + _D1

    # The columns of the Jacobian are (axis x vector to the tool, axis); here its rows.
    # fmt: off
    rows = (
        -p2y, sy * p2z, sy * p3z, sy * p4z, vy * p5z - vz * p5y, wy * p6z - wz * p6y,
        p2x, -sx * p2z, -sx * p3z, -sx * p4z, vz * p5x - vx * p5z, wz * p6x - wx * p6z,
        0.0, sx * p2y - sy * p2x, sx * p3y - sy * p3x, sx * p4y - sy * p4x, vx * p5y - vy * p5x, wx * p6y - wy * p6x,
        0.0, sx, sx, sx, vx, wx,
        0.0, sy, sy, sy, vy, wy,
        1.0, 0.0, 0.0, 0.0, vz, wz,
    )
    pose = (
        c6 * hx - s6 * vx, -s6 * hx - c6 * vx, wx, p2x,
        c6 * hy - s6 * vy, -s6 * hy - c6 * vy, wy, p2y,
        c6 * hz - s6 * vz, -s6 * hz - c6 * vz, wz, tool_z,
        0.0, 0.0, 0.0, 1.0,
    )
    # fmt: on
    return np.array(pose).reshape(4, 4), np.array(rows).reshape(6, 6)


def pose_error(pose: Array, position: Array, rotation: Array) -> Array:
    """What takes `pose` (4, 4) to `position` (3,) and `rotation` (3, 3): metres over a rotation vector [rad], (6,).

    All in `base_link`; a resolved-rate loop adds a gain [1/s] times this to the wanted twist. At half a turn, where the
    axis is not defined, the rotation vector points along z.
    """
    (_, xy, xz), (yx, _, yz), (zx, zy, _) = turn = (rotation @ pose[:3, :3].T).tolist()
    sx, sy, sz = 0.5 * (zy - yz), 0.5 * (xz - zx), 0.5 * (yx - xy)  # axis times sine of the angle
    sine = math.sqrt(sx * sx + sy * sy + sz * sz)
    cosine = 0.5 * (turn[0][0] + turn[1][1] + turn[2][2] - 1.0)
    if sine > 0.0:
        scale = math.atan2(sine, cosine) / sine
        sx, sy, sz = scale * sx, scale * sy, scale * sz
    elif cosine < 0.0:
        sz = math.pi
    px, py, pz = position.tolist()
    return np.array((px - pose[0, 3], py - pose[1, 3], pz - pose[2, 3], sx, sy, sz))


def resolved_rates(tool_jacobian: Array, twist: Array) -> Array:
    """Joint rates (6,) [rad/s] that move the tool with `twist` (6,), linear [m/s] over angular [rad/s].

    Several twists are the columns of a matrix (6, N), and so are their rates. Exact, so the rates grow without bound
    towards a singularity; at one they are not a number. Pass them through
    `kprl.control.joint_limits.limit_joint_rates`: it slows the tool on its line, and stops it.
    """
    try:
        return np.asarray(np.linalg.solve(tool_jacobian, twist), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full_like(twist, np.nan)


def solve_inverse(
    position: Array,
    rotation: Array,
    seed: Array,
    tool_offset: float = 0.0,
    iterations: int = 20,
    tolerance: float = 1e-6,
) -> tuple[Array, float]:
    """Joints [rad] near `seed` that put the tool at `position` (3,) with `rotation` (3, 3), by Newton's method.

    Returns the joints and the remaining error (the larger of metres and radians); the caller judges the error. From a
    singular seed it goes nowhere.
    """
    joints = np.array(seed, dtype=np.float64)
    error = math.inf
    for iteration in range(iterations + 1):
        pose, tool_jacobian = tool_and_jacobian(joints, tool_offset)
        miss = pose_error(pose, position, rotation)
        error = float(np.abs(miss).max())
        if error < tolerance or iteration == iterations:
            break
        step = resolved_rates(tool_jacobian, miss)
        largest = float(np.abs(step).max())
        if not math.isfinite(largest):
            break
        joints += step if largest <= MAX_STEP else step * (MAX_STEP / largest)
    return joints, error
