"""The action: one definition for training, simulation, nodes and driver.

An action is (4,) in [-1, 1]: tool velocity along x, y, z of `base_link`, and the rate of the gripper opening.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl.control.limits import CONTROL_PERIOD, MAX_LINEAR_SPEED

ACTION_SIZE = 4
GRIPPER_STROKE = 0.085  # [m] between the fingers of a 2F-85 when open
MAX_GRIPPER_SPEED = 0.15  # [m/s], the 2F-85's own maximum
# [s] that the wanted opening is ahead of the measured one, which is 20 to 60 ms old on a real gripper, until the next
# target, 33 to 83 ms later, replaces it. With one control period the fingers wait at each target: they close at a third
# of the speed that the policy asks for. It is the speed that is asked for, so in simulation nothing depends on this.
GRIPPER_HORIZON = 3 * CONTROL_PERIOD
GRIPPER_FORCE = 40.0  # [N], of the 20 to 235 N that a 2F-85 can press
KNUCKLE_CLOSED = 0.8  # [rad] of robotiq_85_left_knuckle_joint when closed
GRIPPER_JOINT = "robotiq_85_left_knuckle_joint"


@dataclass(frozen=True)
class Command:
    """What is sent to the robot for one control period."""

    linear: npt.NDArray[np.float64]  # (3,) [m/s] in base_link
    opening: float  # [m] wanted distance between the fingers
    gripper_speed: float  # [m/s]
    gripper_force: float = GRIPPER_FORCE  # [N]


def action_to_command(action: npt.NDArray[np.floating], opening: float) -> Command:
    """Turn an action (4,) and the measured `opening` [m] into a command.

    The gripper's wanted opening is the measured one moved by the rate for GRIPPER_HORIZON. Components beyond [-1, 1]
    are clipped; an action that is not finite raises ValueError, for a policy that diverged must not move.
    """
    parts = np.asarray(action, dtype=np.float64).tolist()
    if np.shape(action) != (ACTION_SIZE,) or not all(map(math.isfinite, parts)):
        raise ValueError(f"action {action} is not {ACTION_SIZE} finite numbers")
    *linear, drive = (min(max(part, -1.0), 1.0) for part in parts)
    rate = drive * MAX_GRIPPER_SPEED
    wanted = min(max(opening + rate * GRIPPER_HORIZON, 0.0), GRIPPER_STROKE)
    # Rounded to what GripperCommand carries, so that a command is the same in process and over topics.
    return Command(np.array(linear) * MAX_LINEAR_SPEED, float(np.float32(wanted)), float(np.float32(abs(rate))))


def opening_to_knuckle(opening: float) -> float:
    """Angle [rad] of the 2F-85's knuckle joint at a finger distance [m]."""
    return KNUCKLE_CLOSED * (1.0 - opening / GRIPPER_STROKE)


def knuckle_to_opening(angle: float) -> float:
    """Finger distance [m] at an angle [rad] of the 2F-85's knuckle joint."""
    return GRIPPER_STROKE * (1.0 - angle / KNUCKLE_CLOSED)
