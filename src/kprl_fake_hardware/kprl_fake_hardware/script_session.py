"""One client of the script port: what it sends is run; what a real controller streams back is left out."""

from __future__ import annotations

from kprl_fake_hardware.robot import Robot
from kprl_fake_hardware.script import MAX_SCRIPT, split_scripts


class ScriptSession:
    """Collects a program until it is complete."""

    greeting = b""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._pending = b""

    def receive(self, data: bytes) -> bytes:
        """Errors: `ValueError` if a program never ends."""
        scripts, rest = split_scripts((self._pending + data).decode("latin-1"))
        self._pending = rest.encode("latin-1")
        if len(self._pending) > MAX_SCRIPT:
            raise ValueError(f"a script of more than {MAX_SCRIPT} bytes")
        for script in scripts:
            self._robot.upload(script)
        return b""

    def on_tick(self) -> bytes:
        """The state that a real controller streams here is not covered: see README.md."""
        return b""

    def close(self) -> None:
        """The program goes on without the client that sent it."""
