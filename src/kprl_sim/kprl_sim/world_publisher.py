"""A snapshot of the world as the messages that a camera and a robot send."""

from __future__ import annotations

from geometry_msgs.msg import PointStamped, PoseStamped, TwistStamped
from kprl_interfaces.msg import RobotStatus, SimTruth
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, JointState

from kprl.control.rotation import to_quaternion
from kprl.envs.world import Snapshot
from kprl.preprocess import FIELD_OF_VIEW, IMAGE_SIZE, Intrinsics
from kprl_ros import camera_messages, robot_messages, topics
from kprl_ros.robot_messages import set_vector
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import LATCHED, STREAM


class WorldPublisher:
    """All topics of the bridge except /clock and /diagnostics."""

    def __init__(self, node: Node) -> None:
        self._image = node.create_publisher(Image, topics.IMAGE, STREAM)
        self._camera_info = node.create_publisher(CameraInfo, topics.CAMERA_INFO, STREAM)
        self._joints = node.create_publisher(JointState, topics.JOINT_STATES, STREAM)
        self._pose = node.create_publisher(PoseStamped, topics.EE_POSE, STREAM)
        self._applied = node.create_publisher(TwistStamped, topics.EE_TWIST_APPLIED, STREAM)
        self._truth = node.create_publisher(SimTruth, topics.SIM_TRUTH, STREAM)
        self._status = node.create_publisher(RobotStatus, topics.ROBOT_STATUS, LATCHED)
        self._goal = node.create_publisher(PointStamped, topics.GOAL, LATCHED)
        # The nominal view: by how much a randomized one differs, the robot's camera would not know either.
        view = Intrinsics.from_field_of_view(FIELD_OF_VIEW, IMAGE_SIZE, IMAGE_SIZE)
        self._camera = camera_messages.camera_info(view)
        self._last_status: tuple[int, int, str] | None = None

    def publish(self, snapshot: Snapshot, stamp: int, seed: int, is_success: bool) -> None:
        """Publish what was observed at `stamp` [ns], the image first: its consumer takes longest."""
        time = to_stamp(stamp)
        self._image.publish(camera_messages.grey_image(snapshot.image, time))
        self._camera.header.stamp = time
        self._camera_info.publish(self._camera)
        self._joints.publish(robot_messages.joint_state(snapshot.joint_positions, snapshot.opening, time))
        self._pose.publish(robot_messages.pose(snapshot.tcp_position, to_quaternion(snapshot.tcp_rotation), time))
        self._applied.publish(robot_messages.twist(snapshot.applied_linear, time))
        self._truth.publish(_truth(snapshot, stamp, seed, is_success))

    def publish_goal(self, goal: object, stamp: int) -> None:
        """Publish the episode's goal (3,) [m]."""
        message = PointStamped(point=robot_messages.point(goal))  # type: ignore[arg-type]
        message.header.stamp, message.header.frame_id = to_stamp(stamp), topics.BASE_FRAME
        self._goal.publish(message)

    def publish_status(self, mode: int, gripper_object: int, reason: str, stamp: int) -> None:
        """Publish the status if it differs from the last one."""
        status = (mode, gripper_object, reason)
        if status == self._last_status:
            return
        self._last_status = status
        message = RobotStatus(
            mode=mode, safety_mode=RobotStatus.SAFETY_NORMAL, gripper_object=gripper_object, reason=reason
        )
        message.header.stamp, message.header.frame_id = to_stamp(stamp), topics.BASE_FRAME
        self._status.publish(message)


def _truth(snapshot: Snapshot, stamp: int, seed: int, is_success: bool) -> SimTruth:
    message = SimTruth(seed=seed, step=snapshot.step, engaged=snapshot.engaged, is_success=is_success)
    message.header.stamp, message.header.frame_id = to_stamp(stamp), topics.BASE_FRAME
    set_vector(message.object_pose.position, snapshot.object_position)
    turn = message.object_pose.orientation
    turn.x, turn.y, turn.z, turn.w = snapshot.object_quaternion.tolist()
    set_vector(message.object_twist.linear, snapshot.object_linear_velocity)
    return message
