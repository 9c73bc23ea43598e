"""What the registers of a 2F-85 mean in metres, metres a second and newtons, and back. Pure.

Source: Robotiq, "2F-85 & 2F-140 instruction manual": 85 mm of stroke, 20 to 150 mm/s, 20 to 235 N. The fingers' own
ends lie at about 3 and 230 of the register POS, which 0 and 255 ask for too.
"""

from __future__ import annotations

from kprl.action import GRIPPER_STROKE, MAX_GRIPPER_SPEED

FULL = 255  # the greatest value of a register
OPEN_POSITION, CLOSED_POSITION = 3, 230
MIN_SPEED = 0.020  # [m/s]
MIN_FORCE, MAX_FORCE = 20.0, 235.0  # [N]
END = 1e-4  # [m] from an end of the stroke at which all the way to it is meant


def opening_to_position(opening: float) -> int:
    """POS that asks for an opening [m]; at the ends of the stroke as far as the fingers go."""
    if opening >= GRIPPER_STROKE - END:
        return 0
    if opening <= END:
        return FULL
    return round(OPEN_POSITION + (1.0 - opening / GRIPPER_STROKE) * (CLOSED_POSITION - OPEN_POSITION))


def position_to_opening(position: int) -> float:
    """Opening [m] at a POS that was read."""
    closed = (position - OPEN_POSITION) / (CLOSED_POSITION - OPEN_POSITION)
    return GRIPPER_STROKE * (1.0 - min(max(closed, 0.0), 1.0))


def speed_to_register(speed: float) -> int:
    """SPE for a speed of the opening [m/s]; the slowest that there is for anything below."""
    return _register((speed - MIN_SPEED) / (MAX_GRIPPER_SPEED - MIN_SPEED))


def force_to_register(force: float) -> int:
    """FOR for a force [N]; the least that there is for anything below."""
    return _register((force - MIN_FORCE) / (MAX_FORCE - MIN_FORCE))


def _register(share: float) -> int:
    return round(FULL * min(max(share, 0.0), 1.0))
