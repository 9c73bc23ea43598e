"""The workcell as a node: where a person lays things out by a service, and the truth is told to evaluations.

`ros2 run kprl_fake_hardware workcell --ros-args -p scene:=env2`
"""

from __future__ import annotations

import sys

import numpy as np
from geometry_msgs.msg import PointStamped
from kprl_interfaces.msg import SimTruth
from kprl_interfaces.srv import ResetEpisode
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import Trigger

from kprl.control.limits import CONTROL_PERIOD
from kprl.errors import KprlError
from kprl.sim.ranges import RANDOMIZATIONS
from kprl_fake_hardware.controller import LOOPBACK
from kprl_fake_hardware.scene import Domain, Truth
from kprl_fake_hardware.ur_controller import VERSIONS
from kprl_fake_hardware.workcell import Workcell
from kprl_ros import topics
from kprl_ros.diagnostics import Diagnostics
from kprl_ros.goal_parameter import read_goal
from kprl_ros.parameters import declare, declare_choice
from kprl_ros.robot_messages import goal_point, point, set_vector
from kprl_ros.shell import run
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import LATCHED, STREAM

LOOK_PERIOD = 1.0  # [s] between two looks at the clock
LEAST_PACE = 0.98  # of real time, below which the world says that it lags


class WorkcellNode(Node):
    """Starts the workcell; service in, goal and truth out."""

    def __init__(self) -> None:
        super().__init__("workcell")
        domain = Domain(
            declare(self, "task", "grasp", "task whose start states are laid out"),
            declare(self, "scene", "env1", "scene of the task"),
            declare(self, "object", "cube", "object to handle"),
            declare_choice(self, "randomization", "workcell", "a file of config/world", list(RANDOMIZATIONS)),
        )
        seed = declare(self, "seed", 0, "seed of the scene at the start", (0, 2**62))
        goal = read_goal(declare(self, "goal", "", "goal 'x,y,z' [m] of every scene; empty: the task draws one"))
        host = declare(self, "bind", LOOPBACK, "address to listen at")
        series = declare_choice(self, "series", "cb3", "of the controller: 125 or 500 Hz", list(VERSIONS))
        try:
            self._workcell = Workcell(domain, host, VERSIONS[series], seed, goal)
        except OSError as error:
            raise KprlError(f"the workcell cannot listen at {host}: {error.strerror or error}") from error
        self._diagnostics = Diagnostics(self, takes="truths")
        self._truth = self.create_publisher(SimTruth, topics.SIM_TRUTH, STREAM)
        self._goal = self.create_publisher(PointStamped, topics.GOAL, LATCHED)
        self.create_service(ResetEpisode, topics.NEW_SCENE, self._on_new_scene)
        self.create_service(Trigger, topics.UNLOCK, self._on_unlock)
        self._publish_goal(self._workcell.world.truths[-1])
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(CONTROL_PERIOD, self._on_tick, clock=steady)
        self.create_timer(LOOK_PERIOD, self._look_at_pace, clock=steady)
        self._lost = 0.0
        self._workcell.start()
        self.get_logger().info(f"{domain.task} in {domain.scene} with {domain.object}, at {host}")

    def _on_new_scene(self, request: ResetEpisode.Request, response: ResetEpisode.Response) -> ResetEpisode.Response:
        try:
            truth = self._workcell.new_scene(request.seed)
        except KprlError as error:
            response.message = str(error)
            return response
        self._diagnostics.counts["scenes"] += 1
        self._publish_goal(truth)
        response.success, response.stamp, response.goal = True, to_stamp(truth.time), point(truth.goal)
        return response

    def _on_unlock(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = True, self._workcell.unlock()
        return response

    def _publish_goal(self, truth: Truth) -> None:
        self._goal.publish(goal_point(np.array(truth.goal), to_stamp(truth.time)))

    def _on_tick(self) -> None:
        for truth in self._workcell.take_truths():
            self._truth.publish(_message(truth))
            self._diagnostics.passes(truth.time)

    def _look_at_pace(self) -> None:
        lost = self._workcell.lost
        pace = 1.0 - (lost - self._lost) / LOOK_PERIOD
        self._lost = lost
        self._diagnostics.values |= {"pace": f"{pace:.3f}", "time lost [s]": f"{lost:.2f}"}
        if pace < LEAST_PACE:
            self._diagnostics.refuse(
                "seconds lagging", f"the world runs at {pace:.0%} of real time: free a processor, or judge no speeds"
            )

    def destroy_node(self) -> None:
        """Everything ends with the node."""
        self._workcell.stop()
        super().destroy_node()


def _message(truth: Truth) -> SimTruth:
    message = SimTruth(seed=truth.seed, step=truth.step, engaged=truth.engaged, is_success=truth.is_success)
    message.header.stamp, message.header.frame_id = to_stamp(truth.time), topics.BASE_FRAME
    set_vector(message.object_pose.position, truth.position)
    turn = message.object_pose.orientation
    turn.x, turn.y, turn.z, turn.w = truth.quaternion
    set_vector(message.object_twist.linear, truth.velocity)
    return message


def main() -> None:
    """Entry point."""
    sys.exit(run(WorkcellNode))


if __name__ == "__main__":
    main()
