"""The policy node's ears: keeps the newest of each topic as arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PointStamped, PoseStamped
from kprl_interfaces.msg import KeypointArray, RobotStatus
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, JointState

from kprl.errors import KprlError
from kprl.preprocess import Intrinsics, keypoints_from_image
from kprl_policy.observation_gate import Parts
from kprl_ros import camera_messages, topics
from kprl_ros.diagnostics import CONFIDENCE_LEAST, CONFIDENCE_MEAN, Diagnostics
from kprl_ros.keypoint_messages import keypoint_pixels
from kprl_ros.robot_messages import gripper_opening, vector
from kprl_ros.silence import Silence
from kprl_ros.stamps import to_nanoseconds
from kprl_ros.topics import BASE_FRAME, LATCHED, NEWEST


class Sensing:
    """Calls `changed` with the topic's name when one of the three parts of an observation has come."""

    def __init__(self, node: Node, diagnostics: Diagnostics, changed: Callable[[str], None]) -> None:
        self._diagnostics, self._changed = diagnostics, changed
        self._camera: Intrinsics | None = None
        self._show = node.resolve_topic_name
        needed = [topics.CAMERA_INFO, topics.KEYPOINTS, topics.EE_POSE, topics.JOINT_STATES]
        self.silence = Silence(needed, self._show)
        self._keypoints: npt.NDArray[np.float32] | None = None
        self._opening: float | None = None
        self._keypoints_stamp = self._tcp_stamp = self._opening_stamp = 0
        self.tcp: npt.NDArray[np.float64] | None = None
        self.goal: npt.NDArray[np.float64] | None = None
        self.gripper_object = 0
        node.create_subscription(CameraInfo, topics.CAMERA_INFO, self._on_camera_info, NEWEST)
        node.create_subscription(KeypointArray, topics.KEYPOINTS, self._on_keypoints, NEWEST)
        node.create_subscription(PoseStamped, topics.EE_POSE, self._on_pose, NEWEST)
        node.create_subscription(JointState, topics.JOINT_STATES, self._on_joints, NEWEST)
        node.create_subscription(PointStamped, topics.GOAL, self._on_goal, LATCHED)
        node.create_subscription(RobotStatus, topics.ROBOT_STATUS, self._on_status, LATCHED)

    def parts(self) -> Parts:
        """What is known now."""
        return Parts(self._keypoints, self._keypoints_stamp, self.tcp, self._tcp_stamp, self._opening,
                     self._opening_stamp, self.goal)  # fmt: skip

    def _on_camera_info(self, message: CameraInfo) -> None:
        self.silence.hear(topics.CAMERA_INFO)
        try:
            self._camera = camera_messages.intrinsics(message)
        except KprlError as error:
            self._diagnostics.refuse("camera infos refused", str(error))

    def _on_keypoints(self, message: KeypointArray) -> None:
        self.silence.hear(topics.KEYPOINTS)
        if self._camera is None:
            self._diagnostics.refuse("keypoints refused", f"no usable {self._show(topics.CAMERA_INFO)} has come yet")
            return
        pixels = keypoint_pixels(message)
        self._keypoints = keypoints_from_image(pixels[:, :2], self._camera)
        if len(pixels):
            self._diagnostics.values |= {
                CONFIDENCE_MEAN: f"{pixels[:, 2].mean():.3f}",
                CONFIDENCE_LEAST: f"{pixels[:, 2].min():.3f}",
            }
        self._keypoints_stamp = to_nanoseconds(message.header.stamp)
        self._changed(topics.KEYPOINTS)

    def _on_pose(self, message: PoseStamped) -> None:
        self.silence.hear(topics.EE_POSE)
        if self._in_base_frame(topics.EE_POSE, message.header.frame_id):
            self.tcp, self._tcp_stamp = vector(message.pose.position), to_nanoseconds(message.header.stamp)
            self._changed(topics.EE_POSE)

    def _on_joints(self, message: JointState) -> None:
        self.silence.hear(topics.JOINT_STATES)
        try:
            self._opening = gripper_opening(message)
        except KprlError as error:
            self._diagnostics.refuse("joint states refused", str(error))
            return
        self._opening_stamp = to_nanoseconds(message.header.stamp)
        self._changed(topics.JOINT_STATES)

    def _on_goal(self, message: PointStamped) -> None:
        if self._in_base_frame(topics.GOAL, message.header.frame_id):
            self.goal = vector(message.point)

    def _on_status(self, message: RobotStatus) -> None:
        self.gripper_object = message.gripper_object

    def _in_base_frame(self, topic: str, frame: str) -> bool:
        if frame != BASE_FRAME:
            self._diagnostics.refuse(
                "frames refused", f"{self._show(topic)} is in the frame '{frame}': expected '{BASE_FRAME}'"
            )
        return frame == BASE_FRAME
