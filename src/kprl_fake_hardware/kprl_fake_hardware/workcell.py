"""The workcell: a fake UR5 controller and a fake 2F-85 on the network, and one world in which they are real.

One thread, one lock, one clock: for each period of the controller the gripper and the world get the same time, so that
the world is never ahead of the arm nor behind it. No ROS.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from kprl.control.kinematics import tool_and_jacobian
from kprl.sim.assets.make_urdf import TCP_OFFSET
from kprl_fake_hardware.controller import CB3, LOOPBACK, UrController
from kprl_fake_hardware.driven_fingers import DrivenFingers
from kprl_fake_hardware.following_world import FollowingWorld
from kprl_fake_hardware.gripper_server import RobotiqServer
from kprl_fake_hardware.machine import Machine
from kprl_fake_hardware.pendant import Pendant, gripper_state, robot_state
from kprl_fake_hardware.scene import Domain, Truth
from kprl_fake_hardware.tcp_server import TcpServer
from kprl_fake_hardware.world_orders import WorldOrders, require_safe

ROBOT_PENDANT, GRIPPER_PENDANT, WORLD_PORT = 29100, 29101, 29102
# The world's arm is held back by what it runs into; a UR5 stops when it strays from its path.
MOST_STRAIN, STRAIN_TIME = 0.02, 0.1  # [rad] for longer than [s]


class Workcell(Machine):
    """Controller, gripper and world at one address, at the ports of the real ones; the world's own are above.

    `seed` is that of the first scene, which lies there from the start; `goal` (3,) [m] that of all, None: each its own.
    """

    def __init__(
        self,
        domain: Domain = Domain(),  # noqa: B008, it is frozen
        host: str = LOOPBACK,
        version: tuple[int, int, int, int] = CB3,
        seed: int = 0,
        goal: npt.NDArray[np.float64] | None = None,
    ) -> None:
        lock = threading.RLock()
        self.fingers = DrivenFingers()
        self._strained_for = 0.0  # [s]
        with ExitStack() as undo:
            self.controller = UrController(host, version=version, lock=lock)
            undo.callback(self.controller.stop)
            self.gripper = RobotiqServer(host, fingers=self.fingers, lock=lock)
            undo.callback(self.gripper.stop)
            self._robot = self.controller.robot
            self.world = FollowingWorld(domain, self._robot.arm.joints, self.fingers, goal)
            undo.callback(self.world.close)
            self.world.lay(seed, self._robot.arm.joints)
            servers = [*self.controller.servers.values(), *self.gripper.servers.values()]
            for port, pendant in self._pendants().items():
                servers.append(TcpServer(host, port, pendant.session))
                undo.callback(servers[-1].close)
            super().__init__(servers, self._tick, self._robot.period, lock)
            undo.pop_all()

    def new_scene(self, seed: int) -> Truth:
        """Lay a new scene; returns its first truth. Errors: `KprlError` where the robot is in the way."""
        with self.lock:
            arm = self._robot.arm
            height = float(tool_and_jacobian(arm.joints, TCP_OFFSET)[0][2, 3])
            require_safe(height, float(abs(arm.rates).max()), self.fingers.holds_object)
            self.world.lay(seed, arm.joints)
            self._strained_for = 0.0
            return self.world.truths[-1]

    def unlock(self) -> str:
        """What a person does at the pendant after a look into the cell; returns what came of it."""
        with self.lock:
            is_unlocked = self._robot.unlock_protective_stop()
        return "unlocked" if is_unlocked else "no protective stop, or one of less than five seconds ago"

    def take_truths(self) -> list[Truth]:
        """Those that were not taken yet, in order."""
        with self.lock:
            truths = list(self.world.truths)
            self.world.truths.clear()
        return truths

    def stop(self) -> None:
        """Everything ends."""
        super().stop()
        self.world.close()

    def _tick(self) -> None:
        period = self._robot.period
        self._robot.tick()
        self.gripper.gripper.tick(period)
        self.world.advance(self._robot.arm.joints, period)
        self._strained_for = self._strained_for + period if self.world.strain > MOST_STRAIN else 0.0
        if self._strained_for > STRAIN_TIME:
            self._robot.protective_stop("the arm strays from its path: did it run into something?")
            # Encoders tell where the arm is, not where it was sent: else each new start would strain it again.
            self._robot.arm.joints = self.world.rest()
            self._strained_for = 0.0

    def _pendants(self) -> dict[int, Pendant]:
        robot, gripper, world = self._robot, self.gripper.gripper, self.world
        return {
            ROBOT_PENDANT: Pendant(self.controller.faults, state=lambda: robot_state(robot)),
            GRIPPER_PENDANT: Pendant(self.gripper.faults, state=lambda: gripper_state(gripper)),
            WORLD_PORT: Pendant(
                WorldOrders(self),
                state=self._state,
                domain=lambda: asdict(world.domain),
                poses=lambda: world.poses().to_json(),
            ),
        }

    def _state(self) -> dict[str, Any]:
        return asdict(self.world.truth()) | {"strain": self.world.strain, "lost": self.lost}
