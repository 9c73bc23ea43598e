"""Lockstep: which commands answer the observation that the bridge waits for. Pure: no node, no simulator."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kprl.action import Command
from kprl.control.commands import GripperTarget

Array = npt.NDArray[np.float64]

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
