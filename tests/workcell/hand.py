"""The gripper as its driver talks to it, over the socket; and an arm that is moved without a network."""

from __future__ import annotations

import socket

import numpy as np
from waiting import wait_until

from kprl.control.kinematics import ELBOW_UP, solve_inverse
from kprl.sim.arm import TOOL_DOWN
from kprl.sim.assets.make_urdf import TCP_OFFSET


def joints_over(x: float, y: float, z: float) -> np.ndarray:
    """Joints (6,) [rad] with the tool centre point there [m], base_link, pointing down."""
    joints, error = solve_inverse(np.array([x, y, z]), TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
    assert error < 1e-4
    return joints


class Hand:
    """A client of the Robotiq server."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, 5.0)

    def ask(self, line: str) -> str:
        self._socket.sendall(f"{line}\n".encode())
        return self._socket.recv(1024).decode().strip()

    def get(self, name: str) -> int:
        return int(self.ask(f"GET {name}").split()[1])

    def activate(self) -> None:
        assert self.ask("SET ACT 1") == "ack"
        wait_until(lambda: self.get("STA") == 3, "the gripper is active")

    def go(self, position: int, force: int = 30) -> int:
        """Go there; returns OBJ once the fingers have stopped."""
        assert self.ask(f"SET POS {position} SPE 255 FOR {force} GTO 1") == "ack"
        wait_until(lambda: self.get("PRE") == position, "it has heard")
        wait_until(lambda: self.get("OBJ") != 0, "the fingers stop")
        return self.get("OBJ")

    def close(self) -> None:
        self._socket.close()
