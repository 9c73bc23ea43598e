"""Arm and gripper as one robot: its mode, what stops it, and how it comes back. No ROS; `step` is called often.

A fault holds until `recover`, even where its cause goes away by itself: nothing moves again unless a person says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl.control.commands import GripperTarget
from kprl.errors import KprlError
from kprl_driver.arm_link import ArmLink
from kprl_driver.gripper import Gripper
from kprl_driver.pilot import ACTIVE, FAULT, HALTED
from kprl_driver.reset import Reset
from kprl_driver.wire import Halt, Release, Report, Twist

Array = npt.NDArray[np.float64]
Answer = Callable[[bool, str], None]  # success, and what went wrong

POLL = 0.01  # [s] between two looks while the node begins
ACTIVATION_TIMEOUT = 10.0  # [s] for a gripper to be activated: more than its own waits add up to
REACH_TIMEOUT = 4.0  # [s] for the first word of the gripper
STOPPED = "stopped by /driver/stop: call /driver/recover"


@dataclass(frozen=True)
class Status:
    """What /robot_status says, numbered as RobotStatus."""

    mode: int
    safety_mode: int
    gripper_object: int
    reason: str


class Supervisor:
    """Owns the arm process and the gripper's thread."""

    def __init__(
        self,
        make_link: Callable[[], ArmLink],
        gripper: Gripper,
        home: Array,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`home` (6,) [rad]. `begin` must follow."""
        self._make_link, self._gripper, self._home, self._clock = make_link, gripper, home, clock
        self._link: ArmLink | None = None
        self._fault = ""
        self._halted = ""
        self._reset: Reset | None = None
        self._recovery: _Recovery | None = None
        self._homes = 0

    @property
    def report(self) -> Report | None:
        """The newest of the arm."""
        return self._link.report if self._link is not None else None

    @property
    def arm_pid(self) -> int:
        """Process id of the arm process, 0 where there is none."""
        return self._link.pid if self._link is not None and not self._link.failure else 0

    @property
    def gripper(self) -> Gripper:
        """The gripper."""
        return self._gripper

    def begin(self, activates: bool) -> str:
        """Connect to arm and gripper; returns what to say of it. Errors: `KprlError` where either is not there."""
        self._link = self._make_link()
        while self._link.report is None:
            self._link.step()
            if self._link.failure:
                raise KprlError(self._link.failure)
            time.sleep(POLL)
        if not self._gripper.reached.wait(REACH_TIMEOUT):
            raise KprlError(f"the gripper did not answer within {REACH_TIMEOUT:g} s: is its URCap running?")
        if not self._gripper.is_connected:
            raise KprlError(self._gripper.trouble)
        state = self._gripper.state
        if self._gripper.trouble and activates and state is not None and not state.is_active:
            self._activate()
            return "the gripper was not activated: its fingers close and open now"
        self.step()
        return self._fault

    def step(self) -> None:
        """Hear both, and go on with what is under way."""
        assert self._link is not None
        now = self._clock()
        self._link.step()
        report = self._link.report
        if self._recovery is not None:
            self._recover_further(self._recovery, now)
        elif self._link.failure:
            self._fail(self._link.failure)
        elif report is not None and report.fault:
            self._fail(report.fault)
        elif self._gripper.trouble:
            self._fail(self._gripper.trouble)
        if self._reset is not None and report is not None:
            self._reset.step(report, self._gripper, self._fault or self._halted, self._link.send, now)
            if self._reset.is_over:
                self._reset = None

    def status(self) -> Status:
        """How the robot is."""
        report, state = self.report, self._gripper.state
        safety_mode = report.safety_mode if report is not None else 0
        mode, reason = (report.mode, report.reason) if report is not None else (FAULT, "")
        if self._recovery is not None:
            mode, reason = HALTED, "recovering"
        elif self._fault:
            mode, reason = FAULT, self._fault
        elif self._halted:
            mode, reason = HALTED, self._halted
        elif self._reset is not None:
            mode, reason = ACTIVE, self._reset.doing
        return Status(mode, safety_mode, state.object_status if state is not None else 0, reason)

    def why_deaf(self) -> str:
        """Why commands are not followed at this moment; empty where they are."""
        if self._recovery is not None:
            return "the robot is recovering"
        return self._fault or self._halted or (f"the robot is busy: {self._reset.doing}" if self._reset else "")

    def twist(self, linear: Array, now: float) -> None:
        """Follow a velocity (3,) [m/s] that came `now` [s], unless the robot is deaf."""
        if not self.why_deaf() and self._link is not None:
            self._link.send(Twist(linear.tolist(), now))

    def grip(self, target: GripperTarget) -> None:
        """Follow a gripper target, unless the robot is deaf."""
        if not self.why_deaf():
            self._gripper.command(target)

    def stop(self) -> None:
        """The arm stands until `recover`."""
        self._halted = STOPPED
        if self._link is not None:
            self._link.send(Halt(STOPPED))
        if self._recovery is not None:
            self._finish_recovery(self._recovery, STOPPED)
        self.step()

    def reset(self, answer: Answer) -> None:
        """Open the gripper and go home; whoever asks meanwhile gets the same answer."""
        refusal = "the robot is recovering: ask again" if self._recovery is not None else self._fault or self._halted
        if refusal:
            answer(False, refusal)
            return
        if self._reset is None:
            self._homes += 1
            self._reset = Reset(self._home, self._homes, self._clock())
        self._reset.answers.append(answer)

    def recover(self, answer: Answer) -> None:
        """Come back after a fault that a person has cleared, or after `stop`. Clears nothing on the robot itself."""
        if self._recovery is not None:
            self._recovery.answers.append(answer)
            return
        assert self._link is not None
        self._halted = ""
        self._recovery = _Recovery([answer], self._clock())
        report = self._link.report
        if self._link.failure or report is None or report.fault:
            # What was sent to the old process, or waits in its sockets, ends with it.
            self._link.close()
            self._link = self._make_link()

    def close(self) -> None:
        """Stop the arm, end the process and the thread."""
        if self._link is not None:
            self._link.close()
        self._gripper.close()

    def _fail(self, reason: str) -> None:
        if self._fault:
            return
        self._fault = reason
        if self._link is not None:
            self._link.send(Halt(reason))

    def _activate(self) -> None:
        """Of the recovery only the gripper's part."""
        self._recovery = _Recovery([], self._clock(), gripper_since=self._clock())
        self._gripper.activate()

    def _recover_further(self, recovery: _Recovery, now: float) -> None:
        assert self._link is not None
        if self._link.failure:
            self._finish_recovery(recovery, self._link.failure)
        elif self._link.report is None:
            pass  # the link has time-outs of its own
        elif self._link.report.fault:
            self._finish_recovery(recovery, self._link.report.fault)
        elif recovery.gripper_since is None:
            if self._gripper.trouble and not self._gripper.is_connected:
                self._finish_recovery(recovery, self._gripper.trouble)
                return
            recovery.gripper_since = now
            if self._gripper.trouble:
                self._gripper.activate()
        elif self._gripper.is_activating:
            if now - recovery.gripper_since > ACTIVATION_TIMEOUT:
                self._finish_recovery(recovery, f"the gripper was not active within {ACTIVATION_TIMEOUT:g} s")
        else:
            self._finish_recovery(recovery, self._gripper.trouble)

    def _finish_recovery(self, recovery: _Recovery, failure: str) -> None:
        self._recovery, self._fault = None, ""
        if self._halted:
            failure = self._halted
        elif failure:
            self._fail(failure)
        elif self._link is not None:
            self._link.send(Release())
        for answer in recovery.answers:
            answer(not failure, failure or "recovered: new commands are followed")


@dataclass
class _Recovery:
    answers: list[Answer]
    began: float  # [s]
    gripper_since: float | None = None  # [s] when it was the gripper's turn; the arm's comes first
