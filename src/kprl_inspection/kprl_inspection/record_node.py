"""The recorder: the graph's topics into a rosbag2 folder (MCAP), where no rosbag2 is installed."""

from __future__ import annotations

import sys

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseStamped, TwistStamped
from kprl_interfaces.msg import GripperCommand, KeypointArray, RobotStatus
from rclpy.node import Node
from rclpy.task import Future
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from visualization_msgs.msg import MarkerArray

from kprl_inspection.bag import Bag, Channel
from kprl_inspection.definitions import type_name
from kprl_inspection.listening import Listener
from kprl_ros import topics
from kprl_ros.diagnostics import Diagnostics
from kprl_ros.parameters import declare, declare_path
from kprl_ros.shell import SPIN_SLICE, make_executor, run_job, spin_until, undisturbed

# What a rosbag2 that a launch file starts records too: kprl_ros.launch_extras.RECORDED.
RECORDED = {
    topics.IMAGE: Image,
    topics.CAMERA_INFO: CameraInfo,
    topics.KEYPOINTS: KeypointArray,
    topics.JOINT_STATES: JointState,
    topics.EE_POSE: PoseStamped,
    topics.GOAL: PointStamped,
    topics.EE_TWIST_CMD: TwistStamped,
    topics.GRIPPER_CMD: GripperCommand,
    topics.EE_TWIST_APPLIED: TwistStamped,
    topics.ROBOT_STATUS: RobotStatus,
    topics.MARKERS: MarkerArray,
    topics.DIAGNOSTICS: DiagnosticArray,
    topics.CLOCK: Clock,
}


class RecordNode(Node):
    """Bytes from the middleware to the bag; nothing is decoded."""

    def __init__(self) -> None:
        super().__init__("record_node")
        folder = declare_path(self, "output", "a folder to record into, which does not exist yet").absolute()
        overlay = declare(self, "overlay", False, "record /keypoints/image too, which is large")
        self._diagnostics = Diagnostics(self)
        self._kinds = RECORDED | ({topics.OVERLAY: Image} if overlay else {})
        self._listener = Listener(self, self._kinds, self._take, raw=True)
        self.bag = Bag(folder)
        self.get_logger().info(f"recording {len(self._kinds)} topics into {folder}")

    def _take(self, topic: str, data: bytes) -> None:
        quality = self._listener.qualities[topic]
        name, kind = self.resolve_topic_name(topic), type_name(self._kinds[topic])
        channel = Channel(name, kind, quality.latched, quality.reliable)
        if self.bag.put(channel, self.get_clock().now().nanoseconds, data):
            self._diagnostics.counts["messages"] += 1
        else:
            self._diagnostics.refuse("messages lost", f"{name} is not recorded: the disk is too slow")

    def finish(self) -> None:
        """Close the bag and say what is in it. Errors: `KprlError` where it is not whole."""
        self.bag.close()
        counts = self.bag.counts
        expected = [self.resolve_topic_name(topic) for topic in self._kinds if topic != topics.CLOCK]  # lockstep only
        silent = [name for name in expected if not counts[name]]
        lost = self._diagnostics.counts["messages lost"]
        self.get_logger().info(
            f"{counts.total()} messages are in {self.bag.folder}"
            + (f"; {lost} were lost: the disk was too slow" if lost else "")
            + (f"; nothing came on {', '.join(silent)}" if silent else "")
        )


def record() -> None:
    """Record until Ctrl-C, or until the disk takes no more."""
    node = RecordNode()
    never: Future[None] = Future()
    try:
        executor = make_executor(node)
        while not node.bag.failure:
            spin_until(executor, never, SPIN_SLICE)
    finally:
        # A second signal, as launch sends one, must not cut off the index.
        with undisturbed():
            try:
                node.finish()
            finally:
                node.destroy_node()


def main() -> None:
    """Entry point."""
    sys.exit(run_job(record, interrupted=0))
