"""Pose, joints and commands of the robot as messages, and back to arrays. SI units, base_link."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, PointStamped, PoseStamped, TwistStamped
from kprl_interfaces.msg import GripperCommand
from sensor_msgs.msg import JointState

from kprl.action import GRIPPER_JOINT, Command, knuckle_to_opening, opening_to_knuckle
from kprl.control.kinematics import JOINT_NAMES
from kprl.errors import KprlError
from kprl_ros.topics import BASE_FRAME

Array = npt.NDArray[np.float64]


def joint_state(joints: Array, opening: float, stamp: Time) -> JointState:
    """Six arm joints [rad] and the gripper's knuckle joint."""
    message = JointState(name=[*JOINT_NAMES, GRIPPER_JOINT])
    message.header.stamp, message.header.frame_id = stamp, BASE_FRAME
    message.position = [*joints.tolist(), opening_to_knuckle(opening)]
    return message


def gripper_opening(message: JointState) -> float:
    """Opening [m] of the gripper."""
    return knuckle_to_opening(_position(message, GRIPPER_JOINT))


def _position(message: JointState, joint: str) -> float:
    try:
        return float(message.position[message.name.index(joint)])
    except (ValueError, IndexError):
        names = ", ".join(message.name) or "nothing"
        raise KprlError(f"joint_states has no position of {joint}: it has {names}") from None


def pose(position: Array, quaternion: Array, stamp: Time) -> PoseStamped:
    """A pose in base_link: position (3,) [m], quaternion (4,) xyzw."""
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = stamp, BASE_FRAME
    set_vector(message.pose.position, position)
    turn = message.pose.orientation
    turn.x, turn.y, turn.z, turn.w = quaternion.tolist()
    return message


def twist(linear: Array, stamp: Time) -> TwistStamped:
    """A linear velocity (3,) [m/s] in base_link."""
    message = TwistStamped()
    message.header.stamp, message.header.frame_id = stamp, BASE_FRAME
    set_vector(message.twist.linear, linear)
    return message


def goal_point(position: Array, stamp: Time) -> PointStamped:
    """A desired goal (3,) [m] in base_link."""
    message = PointStamped(point=point(position))
    message.header.stamp, message.header.frame_id = stamp, BASE_FRAME
    return message


def gripper_command(command: Command, stamp: Time) -> GripperCommand:
    """The gripper's part of a command."""
    message = GripperCommand(
        opening=command.opening, speed=command.gripper_speed, force=command.gripper_force
    )
    message.header.stamp, message.header.frame_id = stamp, BASE_FRAME
    return message


def vector(point: object) -> Array:
    """Point or Vector3 as (3,)."""
    return np.array([point.x, point.y, point.z])  # type: ignore[attr-defined]


def set_vector(point: object, values: Sequence[float] | Array) -> None:
    """Write (3,) into a Point or a Vector3."""
    point.x, point.y, point.z = (float(value) for value in values)  # type: ignore[attr-defined]


def point(values: Sequence[float] | Array) -> Point:
    """(3,) as a Point."""
    return Point(x=float(values[0]), y=float(values[1]), z=float(values[2]))
