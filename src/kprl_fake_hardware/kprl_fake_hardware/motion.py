"""What moves the arm: each motion says how fast the joints turn during the next period.

Source: URScript manual (speedl, speedj, movej, movel, stopl, stopj, servoj). A motion is `done` when its URScript
function would return; `restart` is what a program that was paused does to it when it goes on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kprl.control.kinematics import resolved_rates
from kprl.control.speed_l import ramp
from kprl_fake_hardware.arm import MAX_JOINT_SPEED, Arm, Array, to_matrix, to_vector

# [rad/s^2] of the fastest joint when something else than the program stops the arm. Universal Robots names no number:
# 40 is the most that ur_rtde lets a program ask for.
HALT_DECELERATION = 40.0
_ROUNDING = 1e-9  # [s]


class Motion(Protocol):
    """Anything that moves the arm."""

    done: bool

    def step(self, arm: Arm, period: float) -> Array:
        """Joint rates (6,) [rad/s] for the next `period` [s]; not finite where the arm is at a singularity."""

    def restart(self) -> None:
        """Go on from a standstill, wherever the arm is by now."""


@dataclass(frozen=True)
class Speed:
    """Arguments of speedl (linear [m/s] over angular [rad/s], in `base`) or of speedj ([rad/s] for each joint)."""

    target: tuple[float, ...]
    acceleration: float
    time: float
    of_tool: bool


class HeldSpeed:
    """The script's thread that calls speedl or speedj again and again, with what was last `wanted`.

    A call runs until its time is over or, without a time, until the speed is reached; only then the next one looks
    at `wanted`. So a new speed waits for the call before it, and without a new one the last goes on for ever.
    """

    def __init__(self, wanted: Speed) -> None:
        self.wanted = wanted
        self.done = False  # such a thread only ends when it is killed
        self.restart()

    def restart(self) -> None:
        """Ramp from a standstill, towards what is wanted then."""
        self._call: Speed | None = None
        self._value: list[float] | None = None  # the speed that the last period was given
        self._of_tool = self.wanted.of_tool
        self._elapsed = 0.0

    def step(self, arm: Arm, period: float) -> Array:
        """Joint rates (6,) [rad/s], ramped towards those of the last call."""
        if self._call is None:
            self._call, self._elapsed = self.wanted, 0.0
        call = self._call
        tool_jacobian = arm.pose_and_jacobian()[1] if call.of_tool else np.eye(6)
        if self._value is None or self._of_tool != call.of_tool:
            self._value, self._of_tool = (tool_jacobian @ arm.rates).tolist(), call.of_tool
        approach = ramp if call.of_tool else joint_ramp
        self._value = approach(list(call.target), self._value, call.acceleration * period)
        self._elapsed += period
        if self._elapsed >= call.time - _ROUNDING if call.time > 0.0 else self._value == list(call.target):
            self._call = None
        return resolved_rates(tool_jacobian, np.array(self._value))


class Stop:
    """stopl or stopj: slow down at `deceleration` ([m/s^2] of the tool, or [rad/s^2] of the fastest joint)."""

    def __init__(self, deceleration: float, of_tool: bool = False) -> None:
        self.deceleration, self.of_tool = deceleration, of_tool
        self.done = False

    def restart(self) -> None:
        """It is at rest already."""

    def step(self, arm: Arm, period: float) -> Array:
        """Joint rates (6,) [rad/s], slower by the deceleration, until all are zero."""
        rates = arm.rates
        if self.of_tool:
            tool_jacobian = arm.pose_and_jacobian()[1]
            twist = ramp([0.0] * 6, (tool_jacobian @ rates).tolist(), self.deceleration * period)
            rates = resolved_rates(tool_jacobian, np.array(twist)) if any(twist) else np.zeros(6)
        if not self.of_tool or not np.isfinite(rates).all():
            rates = np.array(joint_ramp([0.0] * 6, arm.rates.tolist(), self.deceleration * period))
        self.done = not rates.any()
        return rates


class MoveJ:
    """movej: all joints start and arrive together; the one that turns most keeps to `speed` and `acceleration`."""

    def __init__(self, goal: Array, speed: float, acceleration: float) -> None:
        self.goal, self.speed, self.acceleration = np.array(goal), speed, acceleration
        self.done = False
        self.restart()

    def restart(self) -> None:
        """Plan anew from where the arm is."""
        self._profile: Trapezoid | None = None
        self._elapsed = 0.0

    def step(self, arm: Arm, period: float) -> Array:
        """Joint rates (6,) [rad/s] along the profile, after a stop where the arm still moves."""
        if self._profile is None:
            if not arm.at_rest:
                return np.array(joint_ramp([0.0] * 6, arm.rates.tolist(), self.acceleration * period))
            self._start = arm.joints
            self._profile = Trapezoid(float(np.abs(self.goal - arm.joints).max()), self.speed, self.acceleration)
        if self._elapsed >= self._profile.duration:
            self.done = True
            return np.zeros(6)
        self._elapsed += period
        wanted = self._start + self._profile.share(self._elapsed) * (self.goal - self._start)
        return (wanted - arm.joints) / period


class MoveL:
    """movel: the tool centre point goes straight to the pose `goal` (6,), turning about one axis on the way."""

    def __init__(self, goal: Array, speed: float, acceleration: float) -> None:
        self.goal, self.speed, self.acceleration = np.array(goal), speed, acceleration
        self.done = False
        self.restart()

    def restart(self) -> None:
        """Plan anew from where the arm is."""
        self._profile: Trapezoid | None = None
        self._elapsed = 0.0

    def step(self, arm: Arm, period: float) -> Array:
        """Joint rates (6,) [rad/s] along the line, after a stop where the arm still moves."""
        if self._profile is None:
            if not arm.at_rest:
                return np.array(joint_ramp([0.0] * 6, arm.rates.tolist(), self.acceleration * period))
            self._plan(arm)
        assert self._profile is not None
        if self._elapsed >= self._profile.duration:
            self.done = True
            return np.zeros(6)
        self._elapsed += period
        joints = arm.inverse(self._waypoint(self._profile.share(self._elapsed)))
        return np.full(6, np.nan) if joints is None else (joints - arm.joints) / period

    def _plan(self, arm: Arm) -> None:
        self._start = arm.pose_and_jacobian()[0]
        between = np.eye(4)
        between[:3, :3] = to_matrix(self.goal)[:3, :3] @ self._start[:3, :3].T
        self._turn = to_vector(between)[3:]
        self._way = self.goal[:3] - self._start[:3, 3]
        # Speeds and accelerations of a turn on the spot are the same numbers, in radians.
        length = max(float(np.linalg.norm(self._way)), float(np.linalg.norm(self._turn)))
        self._profile = Trapezoid(length, self.speed, self.acceleration)

    def _waypoint(self, share: float) -> Array:
        turn = to_matrix(np.concatenate([np.zeros(3), share * self._turn]))
        pose = turn @ np.block([[self._start[:3, :3], np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]])
        pose[:3, 3] = self._start[:3, 3] + share * self._way
        return to_vector(pose)


class ServoJ:
    """servoj called again and again: each joint closes its distance to `wanted` (6,) [rad] within `lookahead` [s]."""

    def __init__(self, wanted: Array, lookahead: float) -> None:
        self.wanted, self.lookahead = np.array(wanted), lookahead
        self.done = False

    def restart(self) -> None:
        """It looks at nothing but where the arm is."""

    def step(self, arm: Arm, period: float) -> Array:
        """Joint rates (6,) [rad/s] towards the wanted joints, within their limits."""
        rates = (self.wanted - arm.joints) / max(self.lookahead, period)
        return np.clip(rates, -MAX_JOINT_SPEED, MAX_JOINT_SPEED)


class Trapezoid:
    """A way of `distance` from rest to rest, as fast as `speed` and `acceleration` allow."""

    def __init__(self, distance: float, speed: float, acceleration: float) -> None:
        self._distance, self._acceleration = distance, acceleration
        self._top = min(speed, math.sqrt(distance * acceleration)) if distance > 0.0 else 0.0
        self._ramp = self._top / acceleration  # [s] to the top speed
        self.duration = distance / self._top + self._ramp if self._top > 0.0 else 0.0

    def share(self, elapsed: float) -> float:
        """How much of the way is done, 0 to 1, `elapsed` [s] after the start."""
        if elapsed >= self.duration:
            return 1.0
        left = self.duration - elapsed
        if elapsed < self._ramp:
            covered = 0.5 * self._acceleration * elapsed**2
        elif left < self._ramp:
            covered = self._distance - 0.5 * self._acceleration * left**2
        else:
            covered = self._top * (elapsed - 0.5 * self._ramp)
        return covered / self._distance


def joint_ramp(goal: list[float], before: list[float], allowed: float) -> list[float]:
    """Rates on the straight way from `before` to `goal`; no joint's changes by more than `allowed` [rad/s]."""
    change = [to - at for to, at in zip(goal, before, strict=True)]
    largest = max(map(abs, change))
    if largest <= allowed * (1.0 + 1e-9):
        return goal
    return [at + by * (allowed / largest) for at, by in zip(before, change, strict=True)]
