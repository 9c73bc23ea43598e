"""Everything that can go wrong, at will: what a person at the pendant, a fieldbus or a pulled cable would do.

Every method may be called from any thread while the servers run.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from kprl_fake_hardware.gripper import Fault, Gripper
from kprl_fake_hardware.robot import Robot
from kprl_fake_hardware.tcp_server import Cut, TcpServer
from kprl_fake_hardware.variables import FIELDBUS_INPUTS


class NetworkFaults:
    """Cuts servers off; `only` names one of them, all by default."""

    def __init__(self, servers: Mapping[str, TcpServer], lock: threading.RLock) -> None:
        self._servers, self._lock = servers, lock

    def drop_connections(self, only: str = "") -> None:
        """Close what is open; clients may come back."""
        with self._lock:
            for server in self._chosen(only):
                server.drop_clients()

    def go_silent(self, only: str = "") -> None:
        """Connections stay, new ones are accepted, and nothing is said: a pulled cable."""
        self._cut(Cut.SILENT, only)

    def refuse(self, only: str = "") -> None:
        """Close what is open and let nobody in: switched off."""
        self._cut(Cut.REFUSED, only)

    def restore_network(self, only: str = "") -> None:
        """The cable is back, the server is up."""
        self._cut(Cut.NONE, only)

    def _cut(self, cut: Cut, only: str) -> None:
        with self._lock:
            for server in self._chosen(only):
                server.set_cut(cut)

    def _chosen(self, only: str) -> list[TcpServer]:
        if only and only not in self._servers:
            raise ValueError(f"no server '{only}': expected one of {', '.join(self._servers)}")
        return [self._servers[only]] if only else list(self._servers.values())


class ControllerFaults(NetworkFaults):
    """What can go wrong with a robot."""

    def __init__(self, robot: Robot, servers: Mapping[str, TcpServer], lock: threading.RLock) -> None:
        super().__init__(servers, lock)
        self._robot = robot

    def protective_stop(self) -> None:
        """As after a collision; cleared by `unlock protective stop` of the dashboard, five seconds later."""
        with self._lock:
            self._robot.protective_stop("injected")

    def emergency_stop(self) -> None:
        """The red button is pressed."""
        with self._lock:
            self._robot.emergency_stop()

    def release_emergency_stop(self) -> None:
        """The red button is turned back."""
        with self._lock:
            self._robot.release_emergency_stop()

    def safeguard_stop(self) -> None:
        """Somebody steps into the light curtain."""
        with self._lock:
            self._robot.safeguard_stop()

    def clear_safeguard_stop(self) -> None:
        """And steps back."""
        with self._lock:
            self._robot.clear_safeguard_stop()

    def local_control(self) -> None:
        """Somebody takes the robot out of remote control (e-Series)."""
        with self._lock:
            self._robot.set_remote_control(False)

    def remote_control(self) -> None:
        """And gives it back."""
        with self._lock:
            self._robot.set_remote_control(True)

    def stop_program(self) -> None:
        """Somebody presses stop on the pendant."""
        with self._lock:
            self._robot.stop_program()

    def registers_in_use(self) -> None:
        """A fieldbus adapter takes the lower half of the input registers; who has them keeps them."""
        with self._lock:
            self._robot.registers.fieldbus = FIELDBUS_INPUTS

    def registers_free(self) -> None:
        """The fieldbus adapter is disabled."""
        with self._lock:
            self._robot.registers.fieldbus = frozenset()

    def controller_version(self, version: str) -> None:
        """The controller says to new clients that its software is `version`, "major.minor.bugfix.build"."""
        major, minor, bugfix, build = (int(part) for part in version.split("."))
        with self._lock:
            self._robot.version = (major, minor, bugfix, build)


class GripperFaults(NetworkFaults):
    """What can go wrong with a gripper, and what lies between its fingers."""

    def __init__(self, gripper: Gripper, servers: Mapping[str, TcpServer], lock: threading.RLock) -> None:
        super().__init__(servers, lock)
        self._gripper = gripper

    def put_object(self, width: float) -> None:
        """Something `width` [m] wide lies between the fingers."""
        with self._lock:
            self._gripper.fingers.put_object(width)

    def slip(self) -> None:
        """It slips out of the fingers, or is taken away."""
        with self._lock:
            self._gripper.fingers.take_object()

    def block_opening(self, opening: float) -> None:
        """Something outside stops the opening fingers at `opening` [m]."""
        with self._lock:
            self._gripper.fingers.block_opening(opening)

    def unblock_opening(self) -> None:
        """It is gone."""
        with self._lock:
            self._gripper.fingers.unblock_opening()

    def lose_activation(self) -> None:
        """Its power was off for a moment: it must be activated again."""
        with self._lock:
            self._gripper.reset()

    def fail_activation(self, fails: bool = True) -> None:
        """From now on an activation ends in a fault; or, with `fails` false, it works again."""
        with self._lock:
            self._gripper.fails_to_activate = fails

    def fail(self, fault: int = Fault.OVERCURRENT) -> None:
        """A fault by its number in FLT, until the gripper is reset."""
        with self._lock:
            self._gripper.fail(Fault(fault))

    def cut_power(self) -> None:
        """Every variable reads `?`, as while the robot is in an emergency stop."""
        with self._lock:
            self._gripper.powered = False
            self._gripper.reset()

    def restore_power(self) -> None:
        """Powered, and not activated."""
        with self._lock:
            self._gripper.powered = True
