"""What the driver node and its arm process tell each other: small messages over a socket pair, as JSON.

Times are of CLOCK_MONOTONIC, which all processes of a machine share. Vectors are in base_link.
"""

from __future__ import annotations

import json
import select
import socket
from dataclasses import dataclass

MAX_MESSAGE = 1 << 16  # [bytes]


@dataclass(frozen=True)
class Twist:
    """Follow this velocity [m/s], which came `at` [s]."""

    linear: list[float]
    at: float


@dataclass(frozen=True)
class Halt:
    """Stop at once and follow nothing until `Release`."""

    reason: str


@dataclass(frozen=True)
class Release:
    """Follow commands again: those that come from now on."""


@dataclass(frozen=True)
class GoHome:
    """Rise if low, then move to these joints [rad]; `number` tells one such motion from another."""

    joints: list[float]
    number: int


@dataclass(frozen=True)
class Quit:
    """Stop the arm and end."""


@dataclass(frozen=True)
class Stage:
    """What the arm process is busy with before it is ready."""

    text: str


@dataclass(frozen=True)
class Refused:
    """The arm process ends, or does not begin, for a reason that a person can mend."""

    text: str


@dataclass(frozen=True)
class Bug:
    """The arm process ends by a traceback of its own."""

    text: str


@dataclass(frozen=True)
class Report:
    """How the arm is, as measured `at` [s], and what was sent to it last. The first one says that it is ready."""

    at: float
    joints: list[float]  # [rad]
    position: list[float]  # [m] of the tool centre point
    quaternion: list[float]  # xyzw of the tool
    sent: list[float]  # [m/s] of the tool centre point
    mode: int  # of RobotStatus
    reason: str
    safety_mode: int
    fault: str  # why nothing moves until a recovery; empty where it may
    home_number: int  # of the last motion home that ended
    home_failure: str  # why it did not arrive
    worst_period: float  # [s] the longest that one turn of the control loop took


Message = Twist | Halt | Release | GoHome | Quit | Stage | Refused | Bug | Report
_KINDS = {
    kind.__name__: kind for kind in (Twist, Halt, Release, GoHome, Quit, Stage, Refused, Bug, Report)
}


class Closed(Exception):
    """The other end is gone."""


def encode(message: Message) -> bytes:
    """A message as it is sent."""
    return json.dumps([type(message).__name__, vars(message)]).encode()


def decode(data: bytes) -> Message:
    """A message as it was sent. Errors: `ValueError`, `KeyError` or `TypeError` for anything else."""
    kind, fields = json.loads(data)
    message: Message = _KINDS[kind](**fields)
    return message


class Channel:
    """One end of the socket pair. Nothing here waits but `wait`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def send(self, message: Message) -> bool:
        """Whether it was sent: not where the other end has stopped to read. Errors: `Closed`."""
        try:
            self._socket.send(encode(message))
        except BlockingIOError:
            return False
        except OSError as error:
            raise Closed(str(error)) from error
        return True

    def receive(self) -> list[Message]:
        """All messages that have come, the oldest first. Errors: `Closed` where none is left and none will come."""
        messages: list[Message] = []
        while True:
            try:
                data = self._socket.recv(MAX_MESSAGE)
            except BlockingIOError:
                return messages
            except OSError:
                data = b""
            if not data:
                if messages:
                    return messages
                raise Closed("the other process ended")
            messages.append(decode(data))

    def wait(self, timeout: float) -> bool:
        """Wait `timeout` [s] at most for a message or the end of the other process; whether there is one."""
        return bool(self._poll.poll(max(0.0, 1000.0 * timeout)))

    def close(self) -> None:
        """Close this end: the other one hears of it."""
        self._socket.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends that keep messages apart and tell when the other process is gone, however it ended."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
