"""What the arm may do: speeds, accelerations and the workspace, and the one function that enforces them.

The simulated arm passes every velocity through it, and the robot's driver must; what it returns is what is sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kprl.control.braking import highest_speed
from kprl.control.speed_l import ramp

Array = npt.NDArray[np.float64]

CONTROL_HZ = 20.0
CONTROL_PERIOD = 1.0 / CONTROL_HZ  # [s]
TICKS = 6  # of the arm's controller in a control period: a CB3 controller runs at 125 Hz, the simulated one at 120 Hz
TICK = CONTROL_PERIOD / TICKS  # [s]
MAX_LINEAR_SPEED = 0.25  # [m/s] of the tool centre point; also the limit that ISO 10218 sets for hand guiding
MAX_LINEAR_ACCELERATION = 2.5  # [m/s^2]
# [m] from a wall at which it cannot matter: one control period at full speed, then braking.
WALL_REACH = MAX_LINEAR_SPEED * CONTROL_PERIOD + MAX_LINEAR_SPEED**2 / (2 * MAX_LINEAR_ACCELERATION)


@dataclass(frozen=True)
class Workspace:
    """Axis-aligned box for the tool centre point in `base_link` [m]; the table top is z = 0."""

    lower: tuple[float, float, float] = (0.38, -0.14, 0.022)
    upper: tuple[float, float, float] = (0.62, 0.14, 0.24)

    @cached_property
    def centre(self) -> Array:
        """Centre of the box (3,) [m]."""
        return self._frozen(0.5 * np.add(self.lower, self.upper))

    @cached_property
    def corners(self) -> tuple[Array, Array]:
        """Lower and upper corner, (3,) [m] each."""
        return self._frozen(np.array(self.lower)), self._frozen(np.array(self.upper))

    def contains(self, position: Array) -> npt.NDArray[np.bool_]:
        """Per axis, whether `position` (..., 3) lies strictly inside: the psi of equation (11)."""
        lower, upper = self.corners
        return (position > lower) & (position < upper)

    @staticmethod
    def _frozen(values: Array) -> Array:
        """What is handed out more than once must not be changed by anybody."""
        values.flags.writeable = False
        return values


WORKSPACE = Workspace()


def limit_velocity(
    command: Array,
    previous: Array,
    position: Array,
    workspace: Workspace = WORKSPACE,
    period: float = TICK,
) -> Array:
    """Clip a commanded tool velocity to what the arm may do during the next `period` [s].

    `command`, `previous` (3,) [m/s] and `position` (3,) [m] are in `base_link`. In order: where command or position
    is not finite, standstill is wanted; speed and acceleration are bounded (direction kept; called tick by tick with
    what it returned last, this is the ramp of the controller's speedL); along each axis the velocity towards a wall of
    the workspace is cut to what can be braked in front of it, the part along or into the workspace stays. The wall
    comes last and wins over the acceleration limit; from a velocity that this function returned it needs no more than
    that. Returns (3,) [m/s].
    """
    return np.array(limit_components(command.tolist(), previous.tolist(), position.tolist(), workspace, period))


def limit_components(
    command: list[float], previous: list[float], position: list[float], workspace: Workspace, period: float
) -> list[float]:
    """`limit_velocity` in plain numbers: it runs 120 times a second, and numpy would take most of it for itself."""
    speed = math.hypot(*command)
    if not (math.isfinite(speed) and math.isfinite(math.hypot(*position))):
        command = [0.0, 0.0, 0.0]
    elif speed > MAX_LINEAR_SPEED:
        command = [part * (MAX_LINEAR_SPEED / speed) for part in command]
    limited = []
    ramped = ramp(command, previous, MAX_LINEAR_ACCELERATION * period)
    for velocity, at, low, high in zip(ramped, position, workspace.lower, workspace.upper, strict=True):
        if velocity > 0.0 and high - at < WALL_REACH:
            velocity = min(velocity, highest_speed(high - at, MAX_LINEAR_ACCELERATION, period))
        elif velocity < 0.0 and at - low < WALL_REACH:
            velocity = max(velocity, -highest_speed(at - low, MAX_LINEAR_ACCELERATION, period))
        limited.append(velocity)
    return limited
