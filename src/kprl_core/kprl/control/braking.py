"""How fast something may move towards a limit so that it still stops in front of it."""

from __future__ import annotations

import math

FARTHEST = 1e6  # room beyond which more makes no difference, and would overflow


def highest_speed(room: float, acceleration: float, period: float) -> float:
    """Highest speed for one `period` [s] after which braking at `acceleration` still ends within `room`.

    Units are those of the caller: metres or radians. In continuous time this is sqrt(2 a d). Speeds that change once
    per period T need a little more room: from (n + f) aT, n whole and 0 <= f < 1, the periods at (n + f) aT,
    (n - 1 + f) aT, ..., f aT cover (n + 1)(n + 2 f)/2 aT^2. Solved for the speed; beyond the limit (room < 0), and
    where `room` is not a number, it is 0.
    """
    if not room > 0.0:
        return 0.0
    step = acceleration * period
    distance = min(room, FARTHEST) / (step * period)  # in units of aT^2
    whole = math.floor(0.5 * (math.sqrt(8.0 * distance + 1.0) - 1.0))
    return step * (0.5 * whole + distance / (whole + 1.0))
