"""What the robot is and does, as messages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PointStamped, PoseStamped, TwistStamped
from kprl_interfaces.msg import RobotStatus
from rclpy.node import Node
from sensor_msgs.msg import JointState

from kprl_driver.supervisor import Status
from kprl_driver.wire import Report
from kprl_ros import robot_messages, topics
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import LATCHED, STREAM


class RobotPublisher:
    """All topics of the driver except /diagnostics."""

    def __init__(self, node: Node) -> None:
        self._joints = node.create_publisher(JointState, topics.JOINT_STATES, STREAM)
        self._pose = node.create_publisher(PoseStamped, topics.EE_POSE, STREAM)
        self._applied = node.create_publisher(TwistStamped, topics.EE_TWIST_APPLIED, STREAM)
        self._status = node.create_publisher(RobotStatus, topics.ROBOT_STATUS, LATCHED)
        self._goal = node.create_publisher(PointStamped, topics.GOAL, LATCHED)
        self._last_status: Status | None = None
        self._last_report = -1.0  # [s]

    def publish(self, report: Report, opening: float, stamp: int) -> None:
        """Publish what was measured at `stamp` [ns], once."""
        if report.at == self._last_report:
            return
        self._last_report = report.at
        time = to_stamp(stamp)
        self._joints.publish(robot_messages.joint_state(np.array(report.joints), opening, time))
        self._pose.publish(robot_messages.pose(np.array(report.position), np.array(report.quaternion), time))
        self._applied.publish(robot_messages.twist(np.array(report.sent), time))

    def publish_goal(self, goal: npt.NDArray[np.float64], stamp: int) -> None:
        """Publish the goal (3,) [m]."""
        message = PointStamped(point=robot_messages.point(goal))
        message.header.stamp, message.header.frame_id = to_stamp(stamp), topics.BASE_FRAME
        self._goal.publish(message)

    def publish_status(self, status: Status, stamp: int) -> None:
        """Publish the status if it differs from the last one."""
        if status == self._last_status:
            return
        self._last_status = status
        message = RobotStatus(
            mode=status.mode,
            safety_mode=status.safety_mode,
            gripper_object=status.gripper_object,
            reason=status.reason,
        )
        message.header.stamp, message.header.frame_id = to_stamp(stamp), topics.BASE_FRAME
        self._status.publish(message)
