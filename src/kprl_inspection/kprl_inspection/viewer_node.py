"""The viewer: the graph on a Rerun screen, for machines without rviz."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseStamped, TwistStamped
from kprl_interfaces.msg import GripperCommand, KeypointArray, RobotStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import Image, JointState

from kprl.errors import KprlError
from kprl_inspection.listening import Listener
from kprl_ros import topics
from kprl_ros.diagnostics import Diagnostics
from kprl_ros.parameters import declare, declare_choice
from kprl_ros.shell import run, undisturbed
from kprl_ros.stamps import NANOSECONDS

VIEWED = {
    topics.IMAGE: Image,
    topics.KEYPOINTS: KeypointArray,
    topics.JOINT_STATES: JointState,
    topics.EE_POSE: PoseStamped,
    topics.GOAL: PointStamped,
    topics.EE_TWIST_CMD: TwistStamped,
    topics.EE_TWIST_APPLIED: TwistStamped,
    topics.GRIPPER_CMD: GripperCommand,
    topics.ROBOT_STATUS: RobotStatus,
    topics.DIAGNOSTICS: DiagnosticArray,
}
RARE = (topics.GOAL, topics.ROBOT_STATUS, topics.DIAGNOSTICS)  # each message counts
PORTS = (1024, 65535)


class ViewerNode(Node):
    """Message to entities, entities to the screen."""

    def __init__(self) -> None:
        super().__init__("viewer_node")
        self._screen: Any = None  # none where the node is refused before it
        mode = declare_choice(self, "mode", "spawn", "a window, a browser, or a file", ["spawn", "serve", "save"])
        output = declare(self, "output", "", "file (.rrd) of the mode save")
        self._period = declare(
            self, "period", 0.05, "least time [s] between two messages of a topic; 0: all", (0.0, 60.0)
        )
        bind = declare(self, "bind", "127.0.0.1", "address at which the modes spawn and serve listen")
        grpc_port = declare(self, "grpc_port", 9876, "port of the data, for the modes spawn and serve", PORTS)
        web_port = declare(self, "web_port", 9090, "port of the page of the mode serve", PORTS)
        try:  # not at the top: most machines do not have it
            from kprl_inspection import scene, screen
        except ImportError as error:
            raise KprlError(f"the viewer needs Rerun: pip install rerun-sdk ({error})") from None
        self._stamp_of, self._stamp_name = scene.stamp_of, screen.STAMP
        self._scene = scene.Scene()
        self._diagnostics = Diagnostics(self)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._due: dict[str, float] = {}  # [s] steady, by topic
        self._screen = screen.open_screen(mode, output, bind, grpc_port, web_port)
        self._recording = self._screen.recording
        self._scene.robot.log_urdf_to_recording(self._recording)
        for path, entity in self._scene.static():
            self._recording.log(path, entity, static=True)
        self._listener = Listener(self, VIEWED, self._show)
        self.get_logger().info(f"showing the graph: {self._screen.where}")

    def _show(self, topic: str, message: Any) -> None:
        now = self._steady.now().nanoseconds / NANOSECONDS
        if topic not in RARE and now < self._due.get(topic, 0.0):
            return
        self._due[topic] = now + self._period
        try:
            entries = self._scene.entries(topic, message)
        except KprlError as error:
            self._diagnostics.refuse("messages refused", f"{self.resolve_topic_name(topic)} is not shown: {error}")
            return
        self._recording.reset_time()
        stamp = self._stamp_of(message)
        if stamp:
            self._recording.set_time(self._stamp_name, timestamp=np.datetime64(stamp, "ns"))
        for path, entity in entries:
            self._recording.log(path, entity)
        self._diagnostics.counts["messages"] += 1

    def destroy_node(self) -> None:
        """Send what waits, and end a file well, before the node goes."""
        with undisturbed():
            if self._screen is not None:
                self._screen.close()
                self._screen = None
            super().destroy_node()


def main() -> None:
    """Entry point."""
    sys.exit(run(ViewerNode))
