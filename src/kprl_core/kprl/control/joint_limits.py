"""What the UR5's joints may do, and the one function that enforces it on joint rates.

Positions and speeds are from the UR5 user manual (CB3, technical specifications: every joint +-360 deg, 180 deg/s).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kprl.control.braking import highest_speed

Array = npt.NDArray[np.float64]

JOINT_LOWER: Array = np.full(6, -2.0 * np.pi)  # (6,) [rad]
JOINT_UPPER: Array = np.full(6, 2.0 * np.pi)  # (6,) [rad]
JOINT_MARGIN = 0.05  # [rad] from a position limit at which a joint stands still already
MAX_JOINT_SPEED: Array = np.full(6, np.pi)  # (6,) [rad/s]
# Universal Robots publishes torque limits only, no acceleration limits (its ROS 2 description, issue 46). Chosen: what
# the tool's 2.5 m/s^2 asks of a joint anywhere in the workspace (10.4 rad/s^2, tests/control/test_joint_limits.py) and
# half as much again, so that the tool's own ramp is what shapes a motion. MoveIt's planned motions use 5 rad/s^2.
MAX_JOINT_ACCELERATION: Array = np.full(6, 15.0)  # (6,) [rad/s^2]



def limit_joint_rates(wanted: Array, previous: Array, joints: Array, period: float) -> Array:
    """Limit the joint rates `wanted` (6,) [rad/s] to what the joints may do during the next `period` [s].

    `previous` (6,) [rad/s] is what this function returned last, `joints` (6,) [rad] the positions now. In order, each
    step winning over the ones before it:

    1. If any of the inputs is not finite, standstill is wanted; a previous rate that is not finite counts as zero.
    2. Acceleration, after speed: `wanted` is scaled as a whole to the speed limits, so that the tool stays on its
       line, then the change from `previous` is scaled as a whole to the acceleration limits.
    3. Position and speed, joint by joint: a rate towards a position limit is cut to the highest one that can still
       be braked to a standstill in front of it; the way back in stays open.

    Step 3 exceeds the acceleration only if `previous` was too fast already: not if this function returned it.
    """
    if not np.isfinite((wanted, previous, joints)).all():
        wanted = np.zeros(6)
        previous = np.where(np.isfinite(previous), previous, 0.0)
        joints = np.where(np.isfinite(joints), joints, 0.0)
    previous = np.minimum(np.maximum(previous, -MAX_JOINT_SPEED), MAX_JOINT_SPEED)

    excess = float((np.abs(wanted) / MAX_JOINT_SPEED).max())
    rates = wanted / excess if excess > 1.0 else wanted
    change = rates - previous
    excess = float((np.abs(change) / MAX_JOINT_ACCELERATION).max()) / period
    if excess > 1.0:
        rates = previous + change / excess

    # Beyond its range a joint has no room outwards and all of it inwards, however far away it says it is.
    joints = np.minimum(np.maximum(joints, JOINT_LOWER), JOINT_UPPER)
    room_up, room_down = (JOINT_UPPER - JOINT_MARGIN - joints).tolist(), (joints - JOINT_LOWER - JOINT_MARGIN).tolist()
    accelerations = MAX_JOINT_ACCELERATION.tolist()
    up = [highest_speed(room, limit, period) for room, limit in zip(room_up, accelerations, strict=True)]
    down = [highest_speed(room, limit, period) for room, limit in zip(room_down, accelerations, strict=True)]
    return np.minimum(np.maximum(rates, -np.minimum(down, MAX_JOINT_SPEED)), np.minimum(up, MAX_JOINT_SPEED))


def limit_joint_plan(wanted: Array, previous: Array, joints: Array, period: float) -> Array:
    """`limit_joint_rates` of one period after the other, (T, 6) [rad/s], seen from where the joints are now.

    Most plans keep clear of every limit; that is found out once for all of it, for it is asked 20 times a second.
    """
    if _is_feasible(wanted, previous, joints, period):
        return wanted
    rates = np.empty_like(wanted)
    for tick, row in enumerate(wanted):
        previous = rates[tick] = limit_joint_rates(row, previous, joints, period)
    return rates


def _is_feasible(wanted: Array, previous: Array, joints: Array, period: float) -> bool:
    """Whether rates (T, 6) keep clear of every limit; nothing does that is not a number.

    The position limits are judged by what braking from the highest speed takes, wherever it points.
    """
    reach = MAX_JOINT_SPEED**2 / (2.0 * MAX_JOINT_ACCELERATION) + MAX_JOINT_SPEED * period + JOINT_MARGIN
    changes = wanted.copy()  # np.diff with what comes before the first row takes four times as long
    changes[0] -= previous
    changes[1:] -= wanted[:-1]
    return bool(
        (np.abs(wanted) <= MAX_JOINT_SPEED).all()
        and (np.abs(changes) <= MAX_JOINT_ACCELERATION * period).all()
        and (JOINT_LOWER + reach <= joints).all()
        and (joints <= JOINT_UPPER - reach).all()
    )
