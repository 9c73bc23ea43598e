"""Which commands the simulated robot accepts, and what it does between them. Pure: no node, no simulator."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kprl.action import GRIPPER_STROKE, Command
from kprl_ros.topics import BASE_FRAME

Array = npt.NDArray[np.float64]

DEAD_MAN = 0.1  # [s] without a valid velocity after which the arm stands still


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


@dataclass
class CommandPair:
    """Lockstep: a velocity and a gripper command with the stamp of the observation that they answer."""

    now: int = 0  # [ns] stamp of the current observation
    _linear: Array | None = field(default=None, init=False)
    _target: GripperTarget | None = field(default=None, init=False)

    def expect(self, now: int) -> None:
        """Forget what has come; from now on only commands with the stamp `now` [ns] count."""
        self.now, self._linear, self._target = now, None, None

    def refuse_stamp(self, topic: str, stamp: int) -> str:
        """Why a command of this stamp is not followed; empty where it is."""
        if stamp == self.now:
            return ""
        return f"{topic} answers the observation of {stamp * 1e-9:.3f} s: expected the newest, {self.now * 1e-9:.3f} s"

    def offer_twist(self, linear: Array) -> None:
        """Keep the velocity; a second one for the same observation replaces the first."""
        self._linear = linear

    def offer_gripper(self, target: GripperTarget) -> None:
        """Keep the gripper command; a second one for the same observation replaces the first."""
        self._target = target

    def command(self) -> Command | None:
        """The command, once both parts are there."""
        if self._linear is None or self._target is None:
            return None
        return Command(self._linear, self._target.opening, self._target.speed, self._target.force)


class HeldCommand:
    """Real time: the last command holds until it is older than DEAD_MAN; the gripper keeps its target for ever."""

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

    @property
    def begun(self) -> bool:
        """Whether a velocity has ever come."""
        return self._since is not None

    def stopped_by_dead_man(self, now: float) -> bool:
        """Whether the last velocity, if there was one, is too old."""
        return self._since is not None and now - self._since > DEAD_MAN

    def command(self, now: float) -> Command:
        """What to do in the control period that begins at `now` [s]."""
        moving = self.begun and not self.stopped_by_dead_man(now)
        linear = self._linear if moving else np.zeros(3)
        return Command(linear, self._target.opening, self._target.speed, self._target.force)
