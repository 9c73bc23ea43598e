"""The driver node: a UR5 and a Robotiq 2F-85 behind the topics that the sim bridge has in simulation."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from typing import Any

import numpy as np
from geometry_msgs.msg import PointStamped, TwistStamped
from kprl_interfaces.msg import GripperCommand, RobotStatus
from kprl_interfaces.srv import ResetEpisode
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

from kprl.control.commands import GripperTarget, refuse_age, refuse_gripper, refuse_twist
from kprl_driver.arm_link import ArmLink
from kprl_driver.gripper import Gripper
from kprl_driver.robot_lock import RobotLock
from kprl_driver.robotiq import Robotiq
from kprl_driver.settings import read_settings
from kprl_driver.supervisor import Supervisor
from kprl_driver.wire import Report
from kprl_ros import topics
from kprl_ros.diagnostics import Diagnostics
from kprl_ros.robot_messages import point, vector
from kprl_ros.robot_publisher import RobotPublisher
from kprl_ros.shell import run
from kprl_ros.stamps import NANOSECONDS, to_nanoseconds, to_stamp
from kprl_ros.topics import LATCHED, STREAM


class DriverNode(Node):
    """Checked commands to the supervisor, its state to topics."""

    def __init__(self) -> None:
        super().__init__("driver_node")
        settings = read_settings(self)
        self._lock = RobotLock(settings.arm.host)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._supervisor = Supervisor(
            lambda: ArmLink(settings.arm), Gripper(lambda: Robotiq(settings.gripper_ip)), settings.home
        )
        try:
            remark = self._supervisor.begin(settings.activates_gripper)
        except BaseException:
            self._supervisor.close()
            raise
        self._said = ""
        self._recovered = 0  # [ns] ROS time: older commands are not followed
        self._goal = settings.goal
        self._diagnostics = Diagnostics(self, takes="commands")
        self._out, self._published = RobotPublisher(self), -1.0  # [s] time of the newest report that was published
        if settings.goal is not None:
            self._out.publish_goal(settings.goal, to_stamp(self._now()))
        self.create_subscription(PointStamped, topics.GOAL, self._on_goal, LATCHED)
        self.create_subscription(TwistStamped, topics.EE_TWIST_CMD, self._on_twist, STREAM)
        self.create_subscription(GripperCommand, topics.GRIPPER_CMD, self._on_gripper, STREAM)
        self.create_service(ResetEpisode, topics.RESET_EPISODE, self._on_reset)
        self.create_service(Trigger, topics.DRIVER_STOP, self._on_stop)
        self.create_service(Trigger, topics.DRIVER_RECOVER, self._on_recover)
        self.create_timer(1.0 / settings.publish_rate, self._on_tick, clock=self._steady)
        self.get_logger().info(f"driving the robot at {settings.arm.host}")
        if remark:
            self.get_logger().warning(remark)

    def _on_twist(self, message: TwistStamped) -> None:
        linear, angular = vector(message.twist.linear), vector(message.twist.angular)
        reason = refuse_twist(message.header.frame_id, linear, angular)
        if not self._refused("twists refused", topics.EE_TWIST_CMD, message.header.stamp, reason):
            self._supervisor.twist(linear, time.monotonic())
            self._diagnostics.passes(to_nanoseconds(message.header.stamp))

    def _on_gripper(self, message: GripperCommand) -> None:
        target = GripperTarget(message.opening, message.speed, message.force)
        reason = refuse_gripper(target)
        if not self._refused("gripper commands refused", topics.GRIPPER_CMD, message.header.stamp, reason):
            self._supervisor.grip(target)

    def _refused(self, kind: str, topic: str, stamp: Any, reason: str) -> bool:
        stamp, now, topic = to_nanoseconds(stamp), self._now(), self.resolve_topic_name(topic)
        self._recovered = min(self._recovered, now)  # ROS time may jump back
        reason = reason or refuse_age(topic, stamp / NANOSECONDS, now / NANOSECONDS)
        if not reason and stamp < self._recovered:
            reason = f"{topic} is older than the robot's recovery: only new commands are followed"
        reason = reason or self._supervisor.why_deaf()
        if reason:
            self._diagnostics.refuse(kind, reason)
        return bool(reason)

    def _on_goal(self, message: PointStamped) -> None:
        goal = vector(message.point)
        if message.header.frame_id == topics.BASE_FRAME and np.isfinite(goal).all():
            self._goal = goal
        else:
            topic = self.resolve_topic_name(topics.GOAL)
            self._diagnostics.refuse("goals refused", f"{topic} must be finite and in {topics.BASE_FRAME}")

    async def _on_reset(self, request: ResetEpisode.Request, response: ResetEpisode.Response) -> ResetEpisode.Response:
        if self._goal is None:
            topic = self.resolve_topic_name(topics.GOAL)
            response.message = f"there is no goal: set the parameter goal, or publish one on {topic}"
            return response
        self.get_logger().info("reset: the gripper opens, then the arm goes home")
        response.success, response.message = await self._answer_of(self._supervisor.reset)
        response.stamp, response.goal = to_stamp(self._now()), point(self._goal)
        self._diagnostics.counts["resets"] += 1
        return response

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._supervisor.stop()
        response.success, response.message = True, self._supervisor.status().reason
        return response

    async def _on_recover(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = await self._answer_of(self._supervisor.recover)
        if response.success:
            self._recovered = self._now()
        self._diagnostics.counts["recoveries" if response.success else "recoveries failed"] += 1
        return response

    def _publish(self, report: Report, opening: float, stamp: int) -> None:
        """Publish what was measured at `stamp` [ns]."""
        self._published = report.at
        joints, sent = np.array(report.joints), np.array(report.sent)
        position, quaternion = np.array(report.position), np.array(report.quaternion)
        self._out.publish_state(joints, opening, position, quaternion, sent, to_stamp(stamp))

    async def _answer_of(self, ask: Any) -> tuple[bool, str]:
        """What the supervisor answers, which is some steps later."""
        answer: Future[tuple[bool, str]] = Future(executor=self.executor)
        ask(lambda success, message: answer.set_result((success, message)))
        result = await answer
        assert result is not None
        return result

    def _on_tick(self) -> None:
        self._supervisor.step()
        status, report, state = self._supervisor.status(), self._supervisor.report, self._supervisor.gripper.state
        stamp = self._now()
        self._out.publish_status(**asdict(status), stamp=to_stamp(stamp))
        if report is not None and state is not None and report.at != self._published:
            self._publish(report, state.opening, stamp - round((time.monotonic() - report.at) * NANOSECONDS))
        self._say(status.mode, status.reason)
        self._diagnostics.values |= {
            "arm process": str(self._supervisor.arm_pid or "none"),
            "longest control period [ms]": f"{1000 * report.worst_period:.1f}" if report is not None else "unknown",
            "gripper": self._supervisor.gripper.trouble or "ok",
        }

    def _say(self, mode: int, reason: str) -> None:
        """Faults once in the log, and on /diagnostics while they last."""
        fault = reason if mode == RobotStatus.MODE_FAULT else ""
        self._diagnostics.fault = fault
        if fault and fault != self._said:
            self.get_logger().error(fault)
        self._said = fault

    def _now(self) -> int:
        """ROS time [ns]."""
        return self.get_clock().now().nanoseconds

    def destroy_node(self) -> None:
        """Stop the arm with the node."""
        self._supervisor.close()
        self._lock.release()
        super().destroy_node()


def main() -> None:
    """Entry point."""
    sys.exit(run(DriverNode))
