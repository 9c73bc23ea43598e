"""The client's side of lockstep: send a command pair, wait for every message of the observation that answers it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped, TwistStamped
from kprl_interfaces.msg import GripperCommand, KeypointArray, SimTruth
from kprl_interfaces.srv import ResetEpisode
from rclpy.client import Client
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, JointState

from kprl.action import Command
from kprl.errors import KprlError
from kprl.preprocess import Intrinsics, keypoints_from_image
from kprl_ros import camera_messages, topics
from kprl_ros.keypoint_messages import keypoint_pixels
from kprl_ros.robot_messages import gripper_command, gripper_opening, twist, vector
from kprl_ros.shell import make_executor, spin_until
from kprl_ros.stamps import to_nanoseconds, to_stamp
from kprl_ros.topics import NEWEST, STREAM

Array = npt.NDArray[np.float64]

POLL = 0.1  # [s] between two looks for the service, at the start
PRIMING_PERIOD = 1.0  # [s] after which a first reset whose messages got lost in discovery is tried again

HINTS = {
    topics.RESET_EPISODE: "is a sim bridge running, with the same ROS_DOMAIN_ID?",
    topics.KEYPOINTS: "is the keypoint node running and is its model fit for the camera? see its log and /diagnostics",
    topics.CAMERA_INFO: "is a sim bridge running, with the same ROS_DOMAIN_ID?",
}
BRIDGE_HINT = "is the sim bridge still running, with clock:=lockstep, and does nothing else command it?"


@dataclass(frozen=True)
class Observed:
    """All that was published of one control period. SI units, base_link."""

    keypoints: npt.NDArray[np.float32]  # (K, 2) in [-1, 1]
    tcp: Array  # (3,)
    opening: float
    applied: Array  # (3,) [m/s]
    object_position: Array  # (3,)
    object_velocity: Array  # (3,)
    engaged: bool
    is_success: bool
    goal: Array  # (3,)


class LockstepClient:
    """Spins in the calling thread: a second thread would cost more than the messages do."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._executor = make_executor(node)
        self._camera: Intrinsics | None = None
        self._camera_subscription: Subscription[Any] | None = node.create_subscription(
            CameraInfo, topics.CAMERA_INFO, self._on_camera_info, NEWEST
        )
        self._newest: dict[str, Any] = {}
        self._wanted = 0  # [ns] stamp of the observation that is waited for
        self._missing: set[str] = set()
        self._complete: Future[None] = Future()
        self._parts: dict[str, type] = {
            topics.KEYPOINTS: KeypointArray,
            topics.EE_POSE: PoseStamped,
            topics.JOINT_STATES: JointState,
            topics.EE_TWIST_APPLIED: TwistStamped,
            topics.SIM_TRUTH: SimTruth,
        }
        for topic, kind in self._parts.items():
            node.create_subscription(kind, topic, self._listener(topic), STREAM)
        self._twist = node.create_publisher(TwistStamped, topics.EE_TWIST_CMD, STREAM)
        self._gripper = node.create_publisher(GripperCommand, topics.GRIPPER_CMD, STREAM)
        self._reset: Client[Any, Any] = node.create_client(ResetEpisode, topics.RESET_EPISODE)
        self._name_of_reset = node.resolve_service_name(topics.RESET_EPISODE)
        self._seed, self._step, self._goal, self.stamp = 0, 0, np.zeros(3), 0

    def close(self) -> None:
        """Stop listening."""
        self._executor.remove_node(self._node)
        self._executor.shutdown()

    def connect(self, seed: int, deadline: float) -> Observed:
        """Reset until a whole observation comes back: only then are all the topics of all the nodes connected.

        `deadline` is a time of `time.monotonic` [s], here and below.
        """
        while not self._reset.service_is_ready():
            spin_until(self._executor, Future(), POLL)
            if time.monotonic() >= deadline:
                raise KprlError(f"no node offers {self._name_of_reset}: {HINTS[topics.RESET_EPISODE]}")
        while True:
            try:
                return self.reset(seed, "ordinary", min(time.monotonic() + PRIMING_PERIOD, deadline))
            except KprlError:
                if time.monotonic() >= deadline:
                    raise

    def reset(self, seed: int, start: str, deadline: float) -> Observed:
        """Begin an episode and return its first observation."""
        answer = self._reset.call_async(ResetEpisode.Request(seed=seed, start=start))
        if not spin_until(self._executor, answer, deadline - time.monotonic()):
            self._reset.remove_pending_request(answer)
            raise KprlError(f"{self._name_of_reset} did not answer in time: {HINTS[topics.RESET_EPISODE]}")
        response = answer.result()
        assert response is not None
        if not response.success:
            raise KprlError(f"{self._name_of_reset} failed: {response.message}")
        self._seed, self._step, self._goal = seed, 0, vector(response.goal)
        return self._observe(to_nanoseconds(response.stamp), None, deadline)

    def step(self, command: Command, deadline: float) -> Observed:
        """Send the command that answers the last observation, and return the next one."""
        self._step += 1
        return self._observe(None, command, deadline)

    def _observe(self, stamp: int | None, command: Command | None, deadline: float) -> Observed:
        """Wait for the observation of `stamp` [ns], or for the one that follows `command`."""
        self._wanted = self.stamp + 1 if stamp is None else stamp
        self._complete = Future()
        self._missing = {topic for topic in self._parts if self._stamp_of(topic) < self._wanted}
        if command is not None:
            now = to_stamp(self.stamp)
            self._twist.publish(twist(command.linear, now))
            self._gripper.publish(gripper_command(command, now))
        if (self._missing or self._camera is None) and not spin_until(
            self._executor, self._complete, deadline - time.monotonic()
        ):
            absent = sorted(self._missing) or [topics.CAMERA_INFO]
            raise KprlError(
                f"no message on {', '.join(map(self._node.resolve_topic_name, absent))} in time after "
                f"{'a reset' if command is None else f'command {self._step}'}: {HINTS.get(absent[-1], BRIDGE_HINT)}"
            )
        return self._assemble()

    def _assemble(self) -> Observed:
        """The newest messages as one observation, after a look at whether they belong together."""
        truth: SimTruth = self._newest[topics.SIM_TRUTH]
        stamps = {self._stamp_of(topic) for topic in self._parts}
        if len(stamps) != 1 or (truth.seed, truth.step) != (self._seed, self._step):
            raise KprlError(
                f"the world is at step {truth.step} of seed {truth.seed}: expected step {self._step} "
                f"of seed {self._seed}; something else drives the sim bridge: "
                "stop it, or use another ROS_DOMAIN_ID"
            )
        self.stamp = stamps.pop()
        joints: JointState = self._newest[topics.JOINT_STATES]
        assert self._camera is not None
        return Observed(
            keypoints=keypoints_from_image(
                keypoint_pixels(self._newest[topics.KEYPOINTS])[:, :2], self._camera
            ),
            tcp=vector(self._newest[topics.EE_POSE].pose.position),
            opening=gripper_opening(joints),
            applied=vector(self._newest[topics.EE_TWIST_APPLIED].twist.linear),
            object_position=vector(truth.object_pose.position),
            object_velocity=vector(truth.object_twist.linear),
            engaged=truth.engaged,
            is_success=truth.is_success,
            goal=self._goal,
        )

    def _listener(self, topic: str) -> Callable[[Any], None]:
        def listen(message: Any) -> None:
            self._newest[topic] = message
            if topic in self._missing and to_nanoseconds(message.header.stamp) >= self._wanted:
                self._missing.discard(topic)
                self._finish_if_complete()

        return listen

    def _on_camera_info(self, message: CameraInfo) -> None:
        self._camera = camera_messages.intrinsics(message)
        self._finish_if_complete()
        if self._camera_subscription is not None:  # it never changes: spare every later step the message
            self._node.destroy_subscription(self._camera_subscription)
            self._camera_subscription = None

    def _finish_if_complete(self) -> None:
        if not self._missing and self._camera is not None and not self._complete.done():
            self._complete.set_result(None)

    def _stamp_of(self, topic: str) -> int:
        message = self._newest.get(topic)
        return -1 if message is None else to_nanoseconds(message.header.stamp)
