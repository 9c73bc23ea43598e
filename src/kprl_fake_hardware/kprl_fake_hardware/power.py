"""Power and brakes of the arm: what "power on", "brake release" and "power off" do over time."""

from __future__ import annotations

from kprl_fake_hardware.modes import RobotMode

POWER_TIME = 0.5  # [s] that each step takes; a real arm needs several seconds


class Power:
    """The robot mode, and the ones that are under way."""

    def __init__(self) -> None:
        self.mode = RobotMode.RUNNING
        self._next: list[RobotMode] = []
        self._left = 0.0  # [s] until the first of them

    def turn_on(self) -> None:
        """Powered, brakes on."""
        if self.mode == RobotMode.POWER_OFF and not self._next:
            self._schedule(RobotMode.POWER_ON, RobotMode.IDLE)

    def release_brakes(self) -> None:
        """Ready to move; powers on first if need be."""
        self.turn_on()
        if self.mode != RobotMode.RUNNING and RobotMode.RUNNING not in self._next:
            self._schedule(RobotMode.RUNNING)

    def turn_off(self) -> None:
        """At once."""
        self.mode, self._next = RobotMode.POWER_OFF, []

    def tick(self, period: float) -> None:
        """Let `period` [s] pass."""
        self._left -= period
        if self._next and self._left <= 0.0:
            self.mode, self._left = self._next.pop(0), POWER_TIME

    def _schedule(self, *modes: RobotMode) -> None:
        if not self._next:
            self._left = POWER_TIME
        self._next.extend(modes)
