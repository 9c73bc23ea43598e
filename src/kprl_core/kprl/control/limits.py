"""What the arm may do: speeds, accelerations and the workspace, and the one function that enforces them.

The environments, the simulated robot and the driver call `limit_velocity`; what it returns is what is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CONTROL_HZ = 20.0
CONTROL_PERIOD = 1.0 / CONTROL_HZ  # [s]
MAX_LINEAR_SPEED = 0.25  # [m/s] of the tool centre point; also the limit that ISO 10218 sets for hand guiding
MAX_LINEAR_ACCELERATION = 2.5  # [m/s^2]


@dataclass(frozen=True)
class Workspace:
    """Axis-aligned box for the tool centre point in `base_link` [m]; the table top is z = 0."""

    lower: tuple[float, float, float] = (0.38, -0.14, 0.022)
    upper: tuple[float, float, float] = (0.62, 0.14, 0.24)

    @property
    def centre(self) -> Array:
        """Centre of the box (3,) [m]."""
        return 0.5 * (np.array(self.lower) + np.array(self.upper))

    def contains(self, position: Array) -> npt.NDArray[np.bool_]:
        """Per axis, whether `position` (..., 3) lies strictly inside: the psi of equation (11)."""
        return (position > np.array(self.lower)) & (position < np.array(self.upper))


WORKSPACE = Workspace()


def limit_velocity(
    command: Array,
    previous: Array,
    position: Array,
    workspace: Workspace = WORKSPACE,
    period: float = CONTROL_PERIOD,
) -> Array:
    """Clip a commanded tool velocity to what the arm may do during the next `period` [s].

    `command`, `previous` (3,) [m/s] and `position` (3,) [m] are in `base_link`. In order: a command that is not
    finite becomes a standstill; speed and acceleration are bounded (direction kept); the part that would leave the
    workspace within the period is removed, the part along or into it stays. The wall comes last and wins over the
    acceleration limit. Returns (3,) [m/s].
    """
    wanted = command if np.isfinite(command).all() else np.zeros(3)
    speed = float(np.linalg.norm(wanted))
    if speed > MAX_LINEAR_SPEED:
        wanted = wanted * (MAX_LINEAR_SPEED / speed)
    change = wanted - previous
    size = float(np.linalg.norm(change))
    allowed = MAX_LINEAR_ACCELERATION * period
    if size > allowed:
        wanted = previous + change * (allowed / size)
    room_up = np.maximum(np.array(workspace.upper) - position, 0.0) / period
    room_down = np.minimum(np.array(workspace.lower) - position, 0.0) / period
    return np.clip(wanted, room_down, room_up)
