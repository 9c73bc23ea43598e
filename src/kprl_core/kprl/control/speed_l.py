"""The controller's `speedl`: a Cartesian velocity that is approached at a given acceleration, then held.

URScript manual, `speedl(xd, a, t, aRot='a')`: "Accelerate linearly in Cartesian space and continue with constant tool
speed"; `a` [m/s^2] is the acceleration of the tool's position, and the same number in [rad/s^2] that of its rotation.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def speed_l(target: Array, previous: Array, acceleration: float, period: float) -> Array:
    """Tool velocity for the next `period` [s], on the way from `previous` to `target`.

    Call it once per period with what it returned last. The velocity moves straight towards the target by at most
    `acceleration * period` (Euclidean norm), reaches it exactly and stays there until the target is replaced. Either
    velocity counts as a standstill if it is not finite.

    Velocities are (3,) linear [m/s] or (6,) twists, linear [m/s] over angular [rad/s]. The two halves of a twist are
    bounded apart, both by `acceleration` (as in URScript without aRot), and arrive together.
    """
    return np.array(ramp(target.tolist(), previous.tolist(), acceleration * period))


def ramp(goal: list[float], before: list[float], allowed: float) -> list[float]:
    """`speed_l` in plain numbers, which run 120 times a second; the velocity changes by at most `allowed`."""
    if not all(map(math.isfinite, goal)):
        goal = [0.0] * len(goal)
    if not all(map(math.isfinite, before)):
        before = [0.0] * len(before)
    change = [to - at for to, at in zip(goal, before, strict=True)]
    size = max(math.hypot(*change[:3]), math.hypot(*change[3:]))  # of the larger half
    # Within rounding of the target the last step arrives: the next one would only add what rounding took.
    if size <= allowed * (1.0 + 1e-9):
        return goal
    share = allowed / size
    return [at + share * by for at, by in zip(before, change, strict=True)]
