"""The way home: rise if low, then all joints together along one line. Pure: a step a tick, no clock, no robot."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kprl.control.braking import highest_speed
from kprl.control.joint_limits import JOINT_LOWER, JOINT_MARGIN, JOINT_UPPER, limit_joint_rates
from kprl.control.kinematics import joint_frames, tool_and_jacobian
from kprl.control.safety import ArmState, safe_velocity

Array = npt.NDArray[np.float64]

CLEAR_HEIGHT = 0.12  # [m] of the tool over the table from which it goes home; below it rises first
RISING_SPEED = 0.10  # [m/s]
TOOL_SPEED = 0.20  # [m/s] of the tool centre point on the way
JOINT_SPEED = 0.8  # [rad/s] of the fastest joint
JOINT_ACCELERATION = 2.0  # [rad/s^2]
SETTLING = 0.08  # [s] in which the last bit of the way is closed: the arm lags by two or three ticks
ARRIVED, RESTING = 2e-3, 0.05  # [rad] from home and [rad/s] below which a motion home ends
MAX_TURN = 2.2  # [rad] of one joint: further is not a way home but a way round
LOWEST_TOOL, LOWEST_LINK = 0.015, 0.05  # [m] over the table on the way, of tool and of the joints from the elbow on
SAMPLES = 25  # of the way
RISE_TIMEOUT, HOME_TIMEOUT = 4.0, 8.0  # [s]


def way_home(joints: Array, home: Array) -> Array:
    """What each joint must turn (6,) [rad] to get to `home` (6,), which any number of whole turns is equal to."""
    turn = (home - joints + np.pi) % (2.0 * np.pi) - np.pi
    beyond = (joints + turn > JOINT_UPPER - JOINT_MARGIN) | (joints + turn < JOINT_LOWER + JOINT_MARGIN)
    return np.where(beyond, home - joints, turn)


def why_not_home(joints: Array, home: Array, tool_offset: float) -> str:
    """Why the straight way in joints from `joints` (6,) [rad] is not taken; empty where it is."""
    turn = way_home(joints, home)
    largest = int(np.argmax(np.abs(turn)))
    if abs(turn[largest]) > MAX_TURN:
        return (
            f"home is too far away: joint {largest + 1} would turn by {abs(turn[largest]):.1f} rad, "
            f"at most {MAX_TURN:g} is done; move the arm over the table from the pendant"
        )
    for share in np.linspace(0.0, 1.0, SAMPLES):
        at = joints + share * turn
        lowest = float(joint_frames(at)[3:, 2, 3].min())
        tool = float(tool_and_jacobian(at, tool_offset)[0][2, 3])
        if tool < LOWEST_TOOL or lowest < LOWEST_LINK:
            return "the way home leads too near to the table: move the arm over the table from the pendant"
    return ""


@dataclass
class Homing:
    """One motion home from when it `began` [s]. `rising` comes first."""

    home: Array  # (6,) [rad]
    tool_offset: float  # [m]
    period: float  # [s] of a tick
    began: float  # [s]
    rising: bool = True
    failure: str = ""
    arrived: bool = False
    _rates: Array = field(default_factory=lambda: np.zeros(6))
    _target: Array | None = None

    def rise(self, state: ArmState, now: float) -> Array | None:
        """Velocity (3,) [m/s] upwards of the next tick; None once it is high enough, or could not rise (`failure`)."""
        if state.position[2] >= CLEAR_HEIGHT:
            self.rising, self.began = False, now
            return None
        safe = safe_velocity(np.array([0.0, 0.0, RISING_SPEED]), state, self.period, self.tool_offset)
        if now - self.began > RISE_TIMEOUT:
            self.failure = f"the tool did not rise to {CLEAR_HEIGHT:g} m within {RISE_TIMEOUT:g} s: {safe.reason}"
            return None
        return safe.linear

    def turn(self, joints: Array, now: float) -> Array | None:
        """Joint rates (6,) [rad/s] of the next tick; None once home, or where it cannot go on (`failure`)."""
        if self._target is None:
            self.failure = why_not_home(joints, self.home, self.tool_offset)
            if self.failure:
                return None
            self._target = joints + way_home(joints, self.home)
        left = self._target - joints
        distance = float(np.abs(left).max())
        if distance < ARRIVED and np.abs(self._rates).max() < RESTING:
            self.arrived = True
            return None
        if now - self.began > HOME_TIMEOUT:
            self.failure = (
                f"the arm did not get home within {HOME_TIMEOUT:g} s, {distance:.2f} rad are left: is it held?"
            )
            return None
        speed = min(JOINT_SPEED, highest_speed(distance, JOINT_ACCELERATION, self.period), distance / SETTLING)
        rates = left * (speed / distance)
        tool = float(np.linalg.norm(tool_and_jacobian(joints, self.tool_offset)[1][:3] @ rates))
        rates = rates * min(1.0, TOOL_SPEED / max(tool, 1e-9))
        change = rates - self._rates
        change *= min(1.0, JOINT_ACCELERATION * self.period / max(float(np.abs(change).max()), 1e-9))
        self._rates = limit_joint_rates(self._rates + change, self._rates, joints, self.period)
        return self._rates
