"""Waits until a workcell listens, so that a launch can start the robot's driver after it: a driver never waits.

`ros2 run kprl_fake_hardware wait_for_workcell [--world HOST]`
"""

from __future__ import annotations

import socket
import sys
import time

from rclpy.utilities import remove_ros_args

from kprl_fake_hardware.command import FAILED, Parser
from kprl_fake_hardware.controller import LOOPBACK
from kprl_fake_hardware.workcell import WORLD_PORT

TIMEOUT = 60.0  # [s] in which a workcell must be there: its imports take some seconds on a busy machine
POLL = 0.2  # [s]


def wait(host: str, timeout: float = TIMEOUT) -> bool:
    """Whether a workcell at `host` listened within `timeout` [s]."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, WORLD_PORT), POLL).close()
            return True
        except OSError:
            time.sleep(POLL)
    return False


def main() -> None:
    """Entry point."""
    parser = Parser("wait_for_workcell", description="Wait until a workcell listens.")
    parser.add_argument("--world", default=LOOPBACK, help="address of the workcell")
    host = parser.parse_args(remove_ros_args(sys.argv)[1:]).world  # launch adds some to every node's
    try:
        is_there = wait(host)
    except KeyboardInterrupt:
        sys.exit(0)
    if not is_there:
        print(f"wait_for_workcell: no workcell at {host}:{WORLD_PORT} within {TIMEOUT:g} s", file=sys.stderr)
        sys.exit(FAILED)
