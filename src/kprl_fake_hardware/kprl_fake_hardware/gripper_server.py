"""The Robotiq URCap's server: `SET POS 255 GTO 1` is answered `ack`, `GET POS` is answered `POS 3` and a newline.

Source: what ur_rtde's RobotiqGripper sends and expects; `ack` comes without a newline, as from the real server.
"""

from __future__ import annotations

import threading

from kprl_fake_hardware.faults import GripperFaults
from kprl_fake_hardware.fingers import Fingers
from kprl_fake_hardware.gripper import Gripper
from kprl_fake_hardware.lines import LineSession
from kprl_fake_hardware.machine import Machine
from kprl_fake_hardware.tcp_server import TcpServer

PORT = 63352
PERIOD = 0.01  # [s] of the gripper's clock
ACCEPTED, REFUSED = "ack", "nack"


class RobotiqServer(Machine):
    """A gripper that clients, several at a time, talk to; `fingers` are in no world by default."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = PORT,
        fingers: Fingers | None = None,
        lock: threading.RLock | None = None,
    ) -> None:
        self.gripper = Gripper(fingers)
        server = TcpServer(host, port, lambda: LineSession(lambda line: answer(self.gripper, line)))
        self.servers = {"gripper": server}
        super().__init__([server], lambda: self.gripper.tick(PERIOD), PERIOD, lock)
        self.faults = GripperFaults(self.gripper, self.servers, self.lock)


def answer(gripper: Gripper, line: str) -> str:
    """The answer to one line, with its end of line where it has one."""
    match line.split():
        case ["GET", name]:
            value = gripper.get(name)
            return f"{name} {'?' if value is None else value}\n"
        case ["SET", *words]:
            return ACCEPTED if gripper.set(_parse_values(words)) else REFUSED
    return REFUSED


def _parse_values(words: list[str]) -> dict[str, int]:
    """Names and whole numbers, in turns; nothing at all if that is not what `words` are."""
    names, numbers = words[::2], words[1::2]
    if len(names) != len(numbers) or not all(number.isdecimal() and len(number) < 4 for number in numbers):
        return {}
    return {name: int(number) for name, number in zip(names, numbers, strict=True)}
