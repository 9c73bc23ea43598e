"""The Robotiq URCap's server: `SET POS 255 GTO 1` is answered `ack`, `GET POS` is answered `POS 3` and a newline.

Source: Robotiq, "2F-85 & 2F-140 instruction manual" for the registers; `ack` comes without a newline.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from kprl.errors import KprlError
from kprl_driver.dashboard import connect
from kprl_driver.opening import position_to_opening

PORT = 63352
EXCHANGE_TIMEOUT = 0.4  # [s] for one answer; a real server takes about 8 ms
RESET_TIMEOUT, ACTIVATION_TIMEOUT = 2.0, 6.0  # [s] in which ACT 0, and ACT 1, must take effect
ACTIVATION_POLL = 0.05  # [s]
MAX_ANSWER = 256  # [bytes]
ACTIVE = 3  # STA
RESET_ONLY = 10  # faults from this number on go away by a reset only
FAULTS = {
    5: "it is still being activated",
    7: "it is not activated",
    8: "it is too hot: let it cool down",
    9: "it lost touch with its power or its cable for a second",
    10: "its supply is below 21.6 V",
    11: "its automatic release is under way",
    12: "an internal fault",
    13: "its activation failed: is something between or around the fingers?",
    14: "overcurrent",
    15: "its automatic release is done",
}


@dataclass(frozen=True)
class GripperState:
    """What the gripper says. `object_status` is OBJ, numbered as in RobotStatus."""

    opening: float  # [m]
    object_status: int
    is_active: bool
    fault: int  # FLT


class Robotiq:
    """One connection; every exchange has a time-out."""

    def __init__(self, host: str, port: int = PORT) -> None:
        """Errors: `KprlError`."""
        self._where = f"{host}:{port} (gripper)"
        self._socket = connect(host, port, "gripper")
        self._socket.settimeout(EXCHANGE_TIMEOUT)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def state(self) -> GripperState:
        """Ask for all that is needed. Errors: `KprlError`."""
        status, fault = self.get("STA"), self.get("FLT")
        return GripperState(position_to_opening(self.get("POS")), self.get("OBJ"), status == ACTIVE, fault)

    def go(self, position: int, speed: int, force: int) -> None:
        """Ask for a position, each 0 to 255. Errors: `KprlError`."""
        self.set(POS=position, SPE=speed, FOR=force, GTO=1)

    def activate(self) -> None:
        """Reset and activate: the fingers move over their whole way, and let go of what they hold. Errors: `KprlError`.

        Returns when it is done, at the latest after RESET_TIMEOUT and ACTIVATION_TIMEOUT.
        """
        self.set(ACT=0, GTO=0)
        self._await_status(0, RESET_TIMEOUT)
        self.set(ACT=1)
        self._await_status(ACTIVE, ACTIVATION_TIMEOUT)

    def get(self, name: str) -> int:
        """Read a register. Errors: `KprlError`."""
        answer = self._exchange(f"GET {name}", b"\n")
        found, _, value = answer.partition(" ")
        if value == "?":
            raise KprlError(f"{self._where} reads nothing: the gripper has no power; is the robot's power on?")
        if found != name or not value.isdecimal() or int(value) > 255:
            raise KprlError(f"{self._where} answers {answer[:40]!r} to 'GET {name}': expected '{name}' and a number")
        return int(value)

    def set(self, **registers: int) -> None:
        """Write registers. Errors: `KprlError`."""
        line = " ".join(["SET", *(f"{name} {value}" for name, value in registers.items())])
        answer = self._exchange(line, b"ack")
        if answer != "ack":
            raise KprlError(f"{self._where} answers {answer[:40]!r} to '{line}': expected 'ack'")

    def _exchange(self, line: str, end: bytes) -> str:
        try:
            self._socket.sendall(f"{line}\n".encode())
            deadline = time.monotonic() + EXCHANGE_TIMEOUT
            data = b""
            while not data.endswith(end) and not data.endswith(b"nack"):
                data += self._receive(deadline)
        except TimeoutError:
            raise KprlError(
                f"{self._where} said nothing for {EXCHANGE_TIMEOUT:g} s: is its cable in, and the URCap running?"
            ) from None
        except OSError as error:
            raise KprlError(f"{self._where} broke the connection ({error}): is the robot up?") from error
        return data.decode(errors="replace").strip()

    def _receive(self, deadline: float) -> bytes:
        self._socket.settimeout(max(1e-3, deadline - time.monotonic()))
        data = self._socket.recv(MAX_ANSWER)
        if not data:
            raise ConnectionResetError("closed by the server")
        return data

    def _await_status(self, wanted: int, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self.get("STA") != wanted:
            fault = self.get("FLT")
            if fault >= RESET_ONLY and wanted == ACTIVE:
                raise KprlError(f"the gripper's activation failed, {say_fault(fault)}")
            if time.monotonic() > deadline:
                raise KprlError(f"the gripper's status is not {wanted} after {timeout:g} s; {say_fault(fault)}")
            time.sleep(ACTIVATION_POLL)


def say_fault(fault: int) -> str:
    """A fault by its number and in words."""
    return f"fault {fault}: {FAULTS.get(fault, 'unknown')}"
