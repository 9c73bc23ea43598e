"""A snapshot of the world as the messages that a camera and a robot send."""

from __future__ import annotations

from kprl_interfaces.msg import SimTruth
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from kprl.control.rotation import to_quaternion
from kprl.envs.world import Snapshot
from kprl.preprocess import FIELD_OF_VIEW, IMAGE_SIZE, Intrinsics
from kprl_ros import camera_messages, topics
from kprl_ros.robot_messages import set_vector
from kprl_ros.robot_publisher import RobotPublisher
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import STREAM


class WorldPublisher:
    """All topics of the bridge except /clock and /diagnostics; goal and status are the robot's."""

    def __init__(self, node: Node) -> None:
        self._image = node.create_publisher(Image, topics.IMAGE, STREAM)
        self._camera_info = node.create_publisher(CameraInfo, topics.CAMERA_INFO, STREAM)
        self._truth = node.create_publisher(SimTruth, topics.SIM_TRUTH, STREAM)
        self.robot = RobotPublisher(node)
        # The nominal view: by how much a randomized one differs, the robot's camera would not know either.
        view = Intrinsics.from_field_of_view(FIELD_OF_VIEW, IMAGE_SIZE, IMAGE_SIZE)
        self._camera = camera_messages.camera_info(view)

    def publish(self, snapshot: Snapshot, stamp: int, seed: int, is_success: bool) -> None:
        """Publish what was observed at `stamp` [ns], the image first: its consumer takes longest."""
        time = to_stamp(stamp)
        self._image.publish(camera_messages.grey_image(snapshot.image, time))
        self._camera.header.stamp = time
        self._camera_info.publish(self._camera)
        turn = to_quaternion(snapshot.tcp_rotation)
        self.robot.publish_state(
            snapshot.joint_positions, snapshot.opening, snapshot.tcp_position, turn, snapshot.applied_linear, time
        )
        self._truth.publish(_truth(snapshot, stamp, seed, is_success))


def _truth(snapshot: Snapshot, stamp: int, seed: int, is_success: bool) -> SimTruth:
    message = SimTruth(seed=seed, step=snapshot.step, engaged=snapshot.engaged, is_success=is_success)
    message.header.stamp, message.header.frame_id = to_stamp(stamp), topics.BASE_FRAME
    set_vector(message.object_pose.position, snapshot.object_position)
    turn = message.object_pose.orientation
    turn.x, turn.y, turn.z, turn.w = snapshot.object_quaternion.tolist()
    set_vector(message.object_twist.linear, snapshot.object_linear_velocity)
    return message
