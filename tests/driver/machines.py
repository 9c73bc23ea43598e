"""The truth about the fake arm, and the arm process under test without the node."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from kprl.control.kinematics import ELBOW_UP, TOOL_DOWN, forward, solve_inverse
from kprl_driver.arm_link import ArmLink, ArmOptions
from kprl_driver.wire import GoHome, Report, Twist
from kprl_fake_hardware.controller import UrController

TOOL_OFFSET = 0.150  # [m]
HOME, _ = solve_inverse(np.array([0.5, 0.0, 0.15]), TOOL_DOWN, ELBOW_UP, TOOL_OFFSET)
OPTIONS = {"upper_registers": False, "tool_offset": TOOL_OFFSET, "watchdog_hz": 6.0}
DOWN, UP = np.array([0.0, 0.0, -0.05]), np.array([0.0, 0.0, 0.05])  # [m/s]
FAST = np.array([0.0, 0.25, 0.0])  # [m/s], the most that is allowed
STANDSTILL = 0.1  # [s] from the last valid command where the driver lives
WATCHDOG_STANDSTILL = 0.25  # [s] where it does not, or is not heard
PATIENCE = 10.0  # [s] of waits that are no measurement
POLL = 0.004  # [s]

_addresses = itertools.count(2)


def next_address() -> str:
    """A loopback address of its own for every robot of this session."""
    return f"127.{2 + os.getpid() % 250}.{100 + os.getpid() // 250 % 150}.{next(_addresses)}"


class Truth:
    """When the fake arm moved, by its controller's own clock; asked for under the controller's lock."""

    def __init__(self, controller: UrController) -> None:
        self._controller = controller
        self._advance = controller.robot.arm.advance
        self.moved_at = -1.0  # [s] end of the last cycle in which a joint turned
        self.allowed_until = float("inf")  # [s] when motion that somebody asked for must be over
        self.forbidden: list[float] = []  # [s] cycles that moved nevertheless
        self.lowest = float("inf")  # [m] of the tool
        with controller.lock:
            controller.robot.arm.advance = self._see  # type: ignore[method-assign]

    def now(self) -> float:
        """The controller's time [s]."""
        with self._controller.lock:
            return self._controller.robot.time

    def is_moving(self) -> bool:
        """A joint turns."""
        with self._controller.lock:
            return not self._controller.robot.arm.at_rest

    def joints(self) -> np.ndarray:
        """(6,) [rad]."""
        with self._controller.lock:
            return self._controller.robot.arm.joints.copy()

    def position(self) -> tuple[np.ndarray, float]:
        """Tool centre point (3,) [m] in base_link, and when [s]."""
        with self._controller.lock:
            robot = self._controller.robot
            return forward(robot.arm.joints, TOOL_OFFSET)[:3, 3], robot.time

    def allow(self, seconds: float) -> None:
        """Motion is in order for so long from now on."""
        with self._controller.lock:
            self.allowed_until = self._controller.robot.time + seconds

    def restrict(self, seconds: float) -> None:
        """Where motion is in order now, it must be over within so long."""
        with self._controller.lock:
            now = self._controller.robot.time
            if self.allowed_until >= now:
                self.allowed_until = now + seconds

    def _see(self, rates: np.ndarray, period: float) -> None:
        self._advance(rates, period)
        if rates.any():
            now = self._controller.robot.time  # the end of the cycle
            self.moved_at = now
            if now > self.allowed_until:
                self.forbidden.append(now - self.allowed_until)

    def standstill(self, since: float, watch: float = 0.6) -> float:
        """How long [s] after `since` the arm still moved; watches for so long that it stays at rest."""
        deadline = time.monotonic() + PATIENCE
        while self.now() < since + watch or self.is_moving():
            assert time.monotonic() < deadline, "the arm does not stand still"
            time.sleep(POLL)
        return max(self.moved_at - since, 0.0)


class Arm:
    """The arm process, driven as the node drives it."""

    def __init__(self, address: str, **options: Any) -> None:
        self.link = ArmLink(ArmOptions(host=address, **OPTIONS | options))  # type: ignore[arg-type]
        self._homes = 0

    def wait(self, condition: Callable[[], Any], what: str, timeout: float = PATIENCE) -> Any:
        """Hear the process until `condition()` is true."""
        deadline = time.monotonic() + timeout
        while True:
            self.link.step()
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"not within {timeout} s: {what}; {self.link.failure}"
            time.sleep(POLL)

    def until_ready(self) -> None:
        """Until the first report."""
        self.wait(lambda: self.link.report or self.link.failure, "the arm process begins", 15.0)
        assert not self.link.failure, self.link.failure

    def until_failed(self) -> str:
        """Until the process has failed, and why."""
        return str(self.wait(lambda: self.link.failure, "the arm process fails", 15.0))

    @property
    def report(self) -> Report:
        """The newest."""
        self.link.step()
        assert self.link.report is not None
        return self.link.report

    def go_home(self) -> None:
        """To the middle of the workspace."""
        self._homes += 1
        self.link.send(GoHome(HOME.tolist(), self._homes))
        self.wait(lambda: self.report.home_number == self._homes, "it goes home", 15.0)
        assert not self.report.home_failure, self.report.home_failure

    def follow(self, linear: np.ndarray, seconds: float, truth: Truth) -> float:
        """Command a velocity 50 times a second; returns the controller's time [s] of the last command."""
        last = 0.0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            last = truth.now()
            self.link.send(Twist(linear.tolist(), time.monotonic()))
            self.link.step()
            time.sleep(0.02)
        return last
