"""The topics of a robot, real or simulated: state, goal and status."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PointStamped, PoseStamped, TwistStamped
from kprl_interfaces.msg import RobotStatus
from rclpy.node import Node
from sensor_msgs.msg import JointState

from kprl_ros import robot_messages, topics
from kprl_ros.topics import LATCHED, STREAM

Array = npt.NDArray[np.float64]


class RobotPublisher:
    """Publishes what the driver and the sim bridge both tell of the robot."""

    def __init__(self, node: Node) -> None:
        self._joints = node.create_publisher(JointState, topics.JOINT_STATES, STREAM)
        self._pose = node.create_publisher(PoseStamped, topics.EE_POSE, STREAM)
        self._applied = node.create_publisher(TwistStamped, topics.EE_TWIST_APPLIED, STREAM)
        self._status = node.create_publisher(RobotStatus, topics.ROBOT_STATUS, LATCHED)
        self._goal = node.create_publisher(PointStamped, topics.GOAL, LATCHED)
        self._last_status: tuple[int, int, int, str] | None = None

    def publish_state(
        self, joints: Array, opening: float, position: Array, quaternion: Array, applied: Array, stamp: Time
    ) -> None:
        """Publish joints (6,) [rad], opening [m], tool (3,) [m] and (4,) xyzw, and what moves it (3,) [m/s]."""
        self._joints.publish(robot_messages.joint_state(joints, opening, stamp))
        self._pose.publish(robot_messages.pose(position, quaternion, stamp))
        self._applied.publish(robot_messages.twist(applied, stamp))

    def publish_goal(self, goal: Array, stamp: Time) -> None:
        """Publish the goal (3,) [m]."""
        self._goal.publish(robot_messages.goal_point(goal, stamp))

    def publish_status(self, mode: int, safety_mode: int, gripper_object: int, reason: str, stamp: Time) -> None:
        """Publish the status, numbered as RobotStatus, if it differs from the last one."""
        status = (mode, safety_mode, gripper_object, reason)
        if status == self._last_status:
            return
        self._last_status = status
        message = RobotStatus(mode=mode, safety_mode=safety_mode, gripper_object=gripper_object, reason=reason)
        message.header.stamp, message.header.frame_id = stamp, topics.BASE_FRAME
        self._status.publish(message)
