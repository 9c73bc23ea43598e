"""/reset_episode on a robot: open the gripper, go home, answer. Every wait ends. No ROS.

Fingers that something near the table keeps from opening are lifted first and open on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kprl.action import GRIPPER_FORCE, GRIPPER_STROKE, MAX_GRIPPER_SPEED
from kprl.control.commands import GripperTarget
from kprl_driver.gripper import Gripper
from kprl_driver.homing import CLEAR_HEIGHT, HOME_TIMEOUT, RISE_TIMEOUT
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
    _arrived: float | None = None  # [s]

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
            self._open(report, gripper, send, now)
        elif report.home_number == self.number:
            self._arrive(report.home_failure, gripper, now)
        elif now - self.began > RISE_TIMEOUT + HOME_TIMEOUT + SLACK:
            send(Halt("the motion home took too long"))
            send(Release())
            self._finish("the arm did not say that it is home: see /robot_status")

    def _open(self, report: Report, gripper: Gripper, send: Callable[[Message], None], now: float) -> None:
        if _is_open(gripper):
            self._go_home(send, now)
        elif now - self.began > OPEN_TIMEOUT:
            if _is_blocked(gripper) and report.position[2] < CLEAR_HEIGHT:
                # Fingers that press on the table or on an object cannot spread before they are lifted off it. Another
                # speed makes it another order: the one that was stopped is over.
                gripper.command(GripperTarget(GRIPPER_STROKE, MAX_GRIPPER_SPEED / 2, GRIPPER_FORCE))
                self._go_home(send, now)
            else:
                send(Release())
                self._finish(_why_not_open(gripper))

    def _go_home(self, send: Callable[[Message], None], now: float) -> None:
        self._is_going_home, self.doing, self.began = True, "going home", now
        send(Release())
        send(GoHome(self.home.tolist(), self.number))

    def _arrive(self, failure: str, gripper: Gripper, now: float) -> None:
        self._arrived = now if self._arrived is None else self._arrived
        if failure or _is_open(gripper):
            self._finish(failure)
        elif now - self._arrived > OPEN_TIMEOUT:
            self._finish(_why_not_open(gripper))

    def _finish(self, failure: str) -> None:
        self.is_over = True
        for answer in self.answers:
            answer(not failure, failure)


def _is_open(gripper: Gripper) -> bool:
    return gripper.state is not None and gripper.state.opening >= GRIPPER_STROKE - OPEN_ENOUGH


def _is_blocked(gripper: Gripper) -> bool:
    return gripper.state is not None and gripper.state.object_status == STOPPED_OPENING


def _why_not_open(gripper: Gripper) -> str:
    why = "something outside stops its fingers" if _is_blocked(gripper) else "it is still moving"
    return f"the gripper did not open within {OPEN_TIMEOUT:g} s: {why}"
