"""The sim bridge: one simulated world behind the topics of the real camera, robot and gripper.

Lockstep: the world advances one control period for each command pair that answers the newest observation, and owns
/clock. Real time: it advances 20 times a second of wall time, holds the last command, and a dead-man stops the arm.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from geometry_msgs.msg import TwistStamped
from kprl_interfaces.msg import GripperCommand, RobotStatus
from kprl_interfaces.srv import ResetEpisode
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage

from kprl.action import Command
from kprl.control.commands import DEAD_MAN, GripperTarget, HeldCommand, refuse_gripper, refuse_twist
from kprl.control.limits import CONTROL_PERIOD
from kprl.envs.world import Snapshot, World
from kprl.errors import KprlError
from kprl.sim.ranges import RANDOMIZATIONS
from kprl_ros import topics
from kprl_ros.diagnostics import Diagnostics
from kprl_ros.goal_parameter import read_goal
from kprl_ros.parameters import declare, declare_choice
from kprl_ros.robot_messages import point, vector
from kprl_ros.shell import run
from kprl_ros.stamps import NANOSECONDS, to_nanoseconds, to_stamp
from kprl_ros.topics import STREAM
from kprl_sim.command_gate import CommandPair
from kprl_sim.world_publisher import WorldPublisher

PERIOD = round(CONTROL_PERIOD * NANOSECONDS)  # [ns]


class SimBridge(Node):
    """Messages in, one call of the world, messages out."""

    def __init__(self) -> None:
        super().__init__("sim_bridge")
        task = declare(self, "task", "grasp", "task that the world plays")
        scene = declare(self, "scene", "env1", "scene of the task")
        thing = declare(self, "object", "cube", "object to handle")
        randomization = declare_choice(
            self, "randomization", "train", "what each episode draws anew, a file of config/world", list(RANDOMIZATIONS)
        )
        self._seed = declare(self, "seed", 0, "seed of the first episode", (0, 2**62))
        clock = declare_choice(self, "clock", "lockstep", "who advances time", ["lockstep", "realtime"])
        self._fixed_goal = read_goal(
            declare(self, "goal", "", "goal 'x,y,z' [m] of every episode; empty: the task draws one")
        )
        self._world = World(task, scene, thing, randomization)
        self._diagnostics = Diagnostics(self, takes="steps")
        self._out = WorldPublisher(self)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._lockstep = clock == "lockstep"
        self._clock_publisher = (
            self.create_publisher(ClockMessage, topics.CLOCK, STREAM) if self._lockstep else None
        )
        self._stamp = 0  # [ns] of the newest observation
        self._pair = CommandPair()
        self._shown = {topic: self.resolve_topic_name(topic) for topic in (topics.EE_TWIST_CMD, topics.GRIPPER_CMD)}
        self._snapshot = self._begin(self._seed, "ordinary")
        self.create_subscription(TwistStamped, topics.EE_TWIST_CMD, self._on_twist, STREAM)
        self.create_subscription(GripperCommand, topics.GRIPPER_CMD, self._on_gripper, STREAM)
        self.create_service(ResetEpisode, topics.RESET_EPISODE, self._on_reset)
        if not self._lockstep:
            self.create_timer(CONTROL_PERIOD, self._on_tick, clock=self._steady)
        self.get_logger().info(f"{task} in {scene} with {thing}, {clock}")

    def _begin(self, seed: int, start: str) -> Snapshot:
        """Begin an episode and publish its first observation."""
        self._seed, self._snapshot = seed, self._world.reset(seed, start)
        if self._fixed_goal is not None:
            self._snapshot = replace(self._snapshot, goal=self._fixed_goal)
        self._held = HeldCommand(self._snapshot.opening)
        self._next_stamp()
        self._out.robot.publish_goal(self._snapshot.goal, to_stamp(self._stamp))
        self._publish(RobotStatus.MODE_IDLE, "")
        return self._snapshot

    def _advance(self, command: Command, mode: int, reason: str) -> None:
        began, goal = self._now(), self._snapshot.goal
        self._snapshot = replace(self._world.step(command), goal=goal)
        self._next_stamp()
        self._publish(mode, reason)
        self._diagnostics.counts["steps"] += 1
        self._diagnostics.passes(self._stamp, self._now() - began)

    def _next_stamp(self) -> None:
        """Time only ever grows, across episodes too."""
        self._stamp = self._stamp + PERIOD if self._lockstep else self.get_clock().now().nanoseconds
        self._pair.expect(self._stamp)

    def _publish(self, mode: int, reason: str) -> None:
        snapshot = self._snapshot
        success = bool(self._world.task.is_success(snapshot.object_position, snapshot.goal))
        # The status first: who acts on the observation knows the state that it was made in.
        held, safety = snapshot.gripper_object, RobotStatus.SAFETY_NORMAL
        self._out.robot.publish_status(mode, safety, held, reason, to_stamp(self._stamp))
        self._out.publish(snapshot, self._stamp, self._seed, success)
        if self._clock_publisher is not None:
            self._clock_publisher.publish(ClockMessage(clock=to_stamp(self._stamp)))

    def _on_reset(
        self, request: ResetEpisode.Request, response: ResetEpisode.Response
    ) -> ResetEpisode.Response:
        try:
            self._begin(request.seed, request.start or "ordinary")
        except KprlError as error:
            response.message = str(error)
            return response
        self._diagnostics.counts["episodes"] += 1
        response.success, response.stamp = True, to_stamp(self._stamp)
        response.goal = point(self._snapshot.goal)
        return response

    def _on_twist(self, message: TwistStamped) -> None:
        linear, angular = vector(message.twist.linear), vector(message.twist.angular)
        reason = refuse_twist(message.header.frame_id, linear, angular)
        if self._refused("twists refused", topics.EE_TWIST_CMD, to_nanoseconds(message.header.stamp), reason):
            return
        self._pair.offer_twist(linear)
        self._held.offer_twist(linear, self._now())
        self._step_if_complete()

    def _on_gripper(self, message: GripperCommand) -> None:
        target = GripperTarget(message.opening, message.speed, message.force)
        reason = refuse_gripper(target)
        if self._refused(
            "gripper commands refused", topics.GRIPPER_CMD, to_nanoseconds(message.header.stamp), reason
        ):
            return
        self._pair.offer_gripper(target)
        self._held.offer_gripper(target)
        self._step_if_complete()

    def _refused(self, kind: str, topic: str, stamp: int, reason: str) -> bool:
        if not reason and self._lockstep:
            reason = self._pair.refuse_stamp(self._shown[topic], stamp)
        if reason:
            self._diagnostics.refuse(kind, reason)
        return bool(reason)

    def _step_if_complete(self) -> None:
        command = self._pair.command() if self._lockstep else None
        if command is not None:
            self._advance(command, RobotStatus.MODE_ACTIVE, "")

    def _on_tick(self) -> None:
        now = self._now()
        command = self._held.command(now)
        if not self._held.begun:
            mode, reason = RobotStatus.MODE_IDLE, ""
        elif self._held.stopped_by_dead_man(now):
            mode, reason = RobotStatus.MODE_HALTED, f"dead-man: no valid velocity for {DEAD_MAN:g} s"
        else:
            mode, reason = RobotStatus.MODE_ACTIVE, ""
        self._advance(command, mode, reason)

    def _now(self) -> float:
        """Steady time [s]."""
        return self._steady.now().nanoseconds * 1e-9

    def destroy_node(self) -> None:
        """End the world with the node."""
        self._world.close()
        super().destroy_node()


def main() -> None:
    """Entry point."""
    sys.exit(run(SimBridge))
