"""/reset_episode on a robot: open the gripper, go home, answer. Every wait ends. No ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kprl.action import GRIPPER_FORCE, GRIPPER_STROKE, MAX_GRIPPER_SPEED
from kprl.control.commands import GripperTarget
from kprl_driver.gripper import Gripper
from kprl_driver.homing import HOME_TIMEOUT, RISE_TIMEOUT
from kprl_driver.wire import GoHome, Halt, Message, Release, Report

OPEN_TIMEOUT = 3.0  # [s] for the fingers to open: a full stroke takes 0.6 s
OPEN_ENOUGH = 0.003  # [m] of the stroke that may be left
SLACK = 1.0  # [s] beyond the arm's own time-outs
STOPPED_OPENING = 1  # OBJ


@dataclass
class Reset:
    """One reset from when it `began` [s], for all who asked."""

    home: npt.NDArray[np.float64]  # (6,) [rad]
    number: int
    began: float
    answers: list[Callable[[bool, str], None]] = field(default_factory=list)
    doing: str = "opening the gripper"
    is_over: bool = False
    _is_begun: bool = False
    _is_going_home: bool = False

    def step(
        self, report: Report, gripper: Gripper, trouble: str, send: Callable[[Message], None], now: float
    ) -> None:
        """Go on; `trouble` is why the robot stands, if it does."""
        if trouble:
            self._finish(trouble)
        elif not self._is_begun:
            self._is_begun = True
            send(Halt(self.doing))  # what was commanded before the reset ends here
            gripper.command(GripperTarget(GRIPPER_STROKE, MAX_GRIPPER_SPEED, GRIPPER_FORCE))
        elif not self._is_going_home:
            self._open(gripper, send, now)
        elif report.home_number == self.number:
            self._finish(report.home_failure)
        elif now - self.began > RISE_TIMEOUT + HOME_TIMEOUT + SLACK:
            send(Halt("the motion home took too long"))
            send(Release())
            self._finish("the arm did not say that it is home: see /robot_status")

    def _open(self, gripper: Gripper, send: Callable[[Message], None], now: float) -> None:
        state = gripper.state
        if state is not None and state.opening >= GRIPPER_STROKE - OPEN_ENOUGH:
            self._is_going_home, self.doing, self.began = True, "going home", now
            send(Release())
            send(GoHome(self.home.tolist(), self.number))
        elif now - self.began > OPEN_TIMEOUT:
            send(Release())
            is_blocked = state is not None and state.object_status == STOPPED_OPENING
            why = "something outside stops its fingers" if is_blocked else "it is still moving"
            self._finish(f"the gripper did not open within {OPEN_TIMEOUT:g} s: {why}")

    def _finish(self, failure: str) -> None:
        self.is_over = True
        for answer in self.answers:
            answer(not failure, failure)
