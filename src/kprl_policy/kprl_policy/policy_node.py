"""The policy node: keypoints, tool pose, gripper and goal in; velocity and gripper command out."""

from __future__ import annotations

import sys

import numpy as np
from geometry_msgs.msg import TwistStamped
from kprl_interfaces.msg import GripperCommand
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import SetBool
from visualization_msgs.msg import MarkerArray

from kprl.action import action_to_command
from kprl.bundle import load_bundle
from kprl.errors import KprlError
from kprl.observation import actor_observation
from kprl.tasks import make_task
from kprl_policy.control_periods import too_soon
from kprl_policy.markers import markers
from kprl_policy.observation_gate import INCOMPLETE, Parts, behind, why_not
from kprl_policy.run_episode import EpisodeServer
from kprl_policy.sensing import Sensing
from kprl_ros import topics
from kprl_ros.diagnostics import Diagnostics
from kprl_ros.parameters import declare, declare_choice, declare_path
from kprl_ros.robot_messages import gripper_command, twist
from kprl_ros.shell import run
from kprl_ros.silence import LOOK_PERIOD
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import NEWEST, STREAM

MARKER_PERIOD = 0.2  # [s]
SILENCE_HINT = "are the keypoint node and the robot driver or the sim bridge running, with the same ROS_DOMAIN_ID?"


class PolicyNode(Node):
    """Acts once for each new observation, when enabled; when not, it publishes no commands at all."""

    def __init__(self) -> None:
        super().__init__("policy_node")
        folder = declare_path(self, "bundle", "the folder of a bundle")
        task = declare(self, "task", "", "task that the bundle must be for; empty: any")
        clock = declare_choice(self, "clock", "realtime", "who advances time", ["lockstep", "realtime"])
        self._enabled = declare(self, "auto_start", False, "act at once, without /policy/enable")
        confirms = declare(
            self, "confirm_episodes", False, "an episode of /run_episode begins, homing included, at /policy/enable"
        )
        self._bundle = load_bundle(folder.expanduser(), task or None)
        self._num_keypoints = int(self._bundle.info["num_keypoints"])
        self._rules = make_task(self._bundle.info["task"], self._bundle.info["scene"])
        self._lockstep = clock == "lockstep"
        self._diagnostics = Diagnostics(self, takes="keypoints")
        self._diagnostics.values["enabled"] = "yes" if self._enabled else "no"
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._acted_on = -1  # [ns] stamp of the last observation that was acted on
        self._velocity = np.zeros(3)
        self._twist = self.create_publisher(TwistStamped, topics.EE_TWIST_CMD, STREAM)
        self._gripper = self.create_publisher(GripperCommand, topics.GRIPPER_CMD, STREAM)
        self._markers = self.create_publisher(MarkerArray, topics.MARKERS, NEWEST)
        self._sensing = Sensing(self, self._diagnostics, self._on_change)
        self._episodes = EpisodeServer(
            self, self._sensing, self._rules.robot_says, self._enable, self._why_idle, confirms
        )
        self.create_service(SetBool, topics.POLICY_ENABLE, self._on_enable)
        self.create_timer(MARKER_PERIOD, self._publish_markers, clock=self._steady)
        self.create_timer(LOOK_PERIOD, self._look_for_silence, clock=self._steady)
        self.get_logger().info(f"bundle {folder} for {self._bundle.info['task']}, {clock}")

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success, response.message = True, self._episodes.permit(request.data)
        if not response.message:
            self._enable(request.data)
            response.message = "enabled" if request.data else "disabled"
        return response

    def _enable(self, enabled: bool) -> None:
        if self._enabled and not enabled and not self._lockstep:
            self._twist.publish(
                twist(np.zeros(3), self.get_clock().now().to_msg())
            )  # stop now, not by dead-man
        self._enabled, self._velocity = enabled, np.zeros(3)
        self._diagnostics.values["enabled"] = "yes" if enabled else "no"
        if enabled:
            self._diagnostics.restart()
            self._acted_on = -1
            self._on_change(topics.KEYPOINTS)  # in lockstep nothing new comes until the policy acts

    def _on_change(self, topic: str) -> None:
        """Act on a whole new observation: in real time with new keypoints, in lockstep with its last part."""
        if not self._enabled or (topic != topics.KEYPOINTS and not self._lockstep):
            return
        parts = self._sensing.parts()
        if parts.keypoints_stamp <= self._acted_on or not self._episodes.admits(parts.keypoints_stamp):
            return
        if not self._lockstep and too_soon(parts.keypoints_stamp, self._acted_on):
            return
        reason = self._why_not(parts)
        if reason:
            if reason != INCOMPLETE:
                self._diagnostics.refuse("observations refused", f"not acting: {reason}")
            return
        self._act(parts)

    def _why_not(self, parts: Parts) -> str:
        now = None if self._lockstep else self.get_clock().now().nanoseconds
        return why_not(parts, self._num_keypoints, now, self.resolve_topic_name)

    def _absent(self) -> list[str]:
        """Topics without which the policy cannot act; in lockstep all of them rest when one does: name that one."""
        absent = self._sensing.silence.absent()
        late = behind(self._sensing.parts()) if self._lockstep else []
        return [topic for topic in absent if topic in late] or absent

    def _why_idle(self) -> str:
        """Why the policy does not act at this moment, in a few words."""
        absent = self._absent()
        if absent:
            return f"no message on {', '.join(map(self.resolve_topic_name, absent))}"
        return self._why_not(self._sensing.parts()) or "no new observation after the last action"

    def _look_for_silence(self) -> None:
        absent = self._absent()
        if not self._enabled:
            self._sensing.silence.restart()
        elif absent:
            self._diagnostics.refuse("waiting", self._sensing.silence.reason(absent, SILENCE_HINT))

    def _act(self, parts: Parts) -> None:
        assert parts.keypoints is not None and parts.tcp is not None
        assert parts.opening is not None and parts.goal is not None
        observation = actor_observation(parts.keypoints, parts.tcp, parts.opening)
        try:
            action = self._bundle.policy.act(observation, parts.goal)
        except KprlError as error:
            self._diagnostics.refuse("actions refused", str(error))
            return
        command = action_to_command(action, parts.opening)
        self._acted_on, self._velocity = parts.keypoints_stamp, command.linear
        stamp = to_stamp(parts.keypoints_stamp) if self._lockstep else self.get_clock().now().to_msg()
        self._twist.publish(twist(command.linear, stamp))
        self._gripper.publish(gripper_command(command, stamp))
        self._diagnostics.counts["actions"] += 1
        self._diagnostics.passes(parts.keypoints_stamp)
        self._episodes.acted(parts.keypoints_stamp)

    def _publish_markers(self) -> None:
        if self._markers.get_subscription_count() == 0:
            return
        # Stamp 0: the newest transform there is.
        self._markers.publish(
            markers(
                to_stamp(0), self._rules.success_distance, self._sensing.goal, self._sensing.tcp, self._velocity
            )
        )

    def destroy_node(self) -> None:
        """Stop serving the action before the node goes."""
        self._episodes.destroy()
        super().destroy_node()


def main() -> None:
    """Entry point."""
    sys.exit(run(PolicyNode))
