"""Which commands a robot accepts, simulated or real, and what it does between them.

Stamps are in ROS time, which may stand still or jump; how long a command holds is counted on a steady clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl.action import GRIPPER_STROKE, Command

Array = npt.NDArray[np.float64]

BASE_FRAME = "base_link"
DEAD_MAN = 0.1  # [s] without a valid velocity after which the arm stands still
STALE = 0.1  # [s] a command may be old when it comes in, as in MoveIt Servo
FUTURE = 0.02  # [s] a command may be ahead: what two machines' synchronised clocks may differ by


@dataclass(frozen=True)
class GripperTarget:
    """Wanted opening [m], speed [m/s] and force [N]."""

    opening: float
    speed: float
    force: float


def refuse_twist(frame: str, linear: Array, angular: Array) -> str:
    """Why a velocity is not followed; empty where it is."""
    if frame != BASE_FRAME:
        return f"ee_twist_cmd is in the frame '{frame}': expected '{BASE_FRAME}'"
    if not (np.isfinite(linear).all() and np.isfinite(angular).all()):
        return f"ee_twist_cmd is not finite: {linear.tolist()}, {angular.tolist()}"
    if angular.any():
        return f"ee_twist_cmd turns the tool ({angular.tolist()} rad/s): this robot only moves it along x, y and z"
    return ""


def refuse_gripper(target: GripperTarget) -> str:
    """Why a gripper command is not followed; empty where it is."""
    if not np.isfinite([target.opening, target.speed, target.force]).all():
        return f"gripper_cmd is not finite: {target}"
    # The message is float32: the stroke itself arrives a hair larger.
    if not -1e-6 <= target.opening <= GRIPPER_STROKE + 1e-6 or target.speed < 0 or target.force < 0:
        return (
            f"gripper_cmd is out of range: {target}, expected an opening from 0 to {GRIPPER_STROKE} m, "
            "speed and force 0 or more"
        )
    return ""


def refuse_age(topic: str, stamp: float, now: float) -> str:
    """Why a command with this stamp [s] is not followed `now` [s], both in ROS time; empty where it is."""
    age = now - stamp
    if age >= STALE:
        return f"{topic} is {age:.3f} s old: expected less than {STALE:g} s; is its machine busy, or its clock off?"
    if age < -FUTURE:
        return f"{topic} is {-age:.3f} s ahead of this machine's clock: expected at most {FUTURE:g} s; synchronise them"
    return ""


class HeldCommand:
    """The last command holds until it is older than DEAD_MAN; the gripper keeps its target for ever."""

    def __init__(self, opening: float) -> None:
        self._linear = np.zeros(3)
        self._target = GripperTarget(opening, 0.0, 0.0)
        self._since: float | None = None  # [s] steady time of the last velocity

    def offer_twist(self, linear: Array, now: float) -> None:
        """Follow a velocity from `now` [s] on."""
        self._linear, self._since = linear, now

    def offer_gripper(self, target: GripperTarget) -> None:
        """Follow a gripper target."""
        self._target = target

    def forget_twist(self) -> None:
        """Follow no velocity until the next one comes: after an outage no old one may be taken up again."""
        self._linear, self._since = np.zeros(3), None

    @property
    def begun(self) -> bool:
        """Whether a velocity has come since the beginning, or since the last was forgotten."""
        return self._since is not None

    def stopped_by_dead_man(self, now: float) -> bool:
        """Whether the last velocity, if there was one, is too old."""
        return self._since is not None and now - self._since > DEAD_MAN

    def command(self, now: float) -> Command:
        """What to do in the control period that begins at `now` [s]."""
        moving = self.begun and not self.stopped_by_dead_man(now)
        linear = self._linear if moving else np.zeros(3)
        return Command(linear, self._target.opening, self._target.speed, self._target.force)
