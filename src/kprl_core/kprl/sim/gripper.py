"""The Robotiq 2F-85 in simulation: two fingers driven as one, force-limited, stalling on an object."""

from __future__ import annotations

from enum import IntEnum

from kprl.action import GRIPPER_FORCE, GRIPPER_STROKE
from kprl.control.limits import CONTROL_PERIOD
from kprl.sim.bullet import Bullet

STALL_SPEED = 0.01  # [m/s] of the opening below which a driven gripper counts as stopped
ACCELERATION = 1.0  # [m/s^2] of the opening: the motor and its gears take 150 ms to full speed
SLIPPED = 0.004  # [m] of further closing after which a held object is gone
HOLD_SPEED = 0.02  # [m/s] closing speed asked for while holding: the self-locking drive keeps pressing
FINGER_FRICTION = 1.2
COUPLING_FORCE = 500.0  # [N] that the linkage of the fingers bears: more than the drive ever presses


class ObjectStatus(IntEnum):
    """The 2F-85's register OBJ."""

    MOVING = 0
    STOPPED_OPENING = 1
    STOPPED_CLOSING = 2
    AT_TARGET = 3


class Gripper:
    """Opening [m] is the distance between the pads."""

    def __init__(self, bullet: Bullet, body: int) -> None:
        self._bullet, self._body = bullet, body
        names = bullet.joint_indices(body)
        self.fingers = (names["left_finger_joint"], names["right_finger_joint"])
        for finger in self.fingers:
            bullet.set_contact(body, finger, FINGER_FRICTION, spinning=0.01)
            bullet.set_sticky(body, finger)  # rubber pads
        bullet.couple_joints(body, *self.fingers, COUPLING_FORCE)  # one drive moves both
        self._rate = 0.0  # [m/s] wanted during the last period
        self._before = GRIPPER_STROKE  # [m] opening when last observed
        self._held_at: float | None = None  # [m] opening at which something stopped the fingers' closing
        self.status = ObjectStatus.AT_TARGET

    def place(self, opening: float, held: bool = False) -> None:
        """Put the fingers at an opening, at rest or pressing on a held object, without physics."""
        self._bullet.set_joints(self._body, self.fingers, [opening / 2, opening / 2])
        self._bullet.drive_joints(self._body, self.fingers, [0.0, 0.0], [GRIPPER_FORCE] * 2)
        self._rate, self._before = (-HOLD_SPEED if held else 0.0), opening
        self._held_at = opening if held else None
        self.status = ObjectStatus.STOPPED_CLOSING if held else ObjectStatus.AT_TARGET

    def opening(self) -> float:
        """Measured opening [m]."""
        left, right = self._bullet.joint_positions(self._body, self.fingers).tolist()
        return min(max(float(left + right), 0.0), GRIPPER_STROKE)

    def command(self, opening: float, speed: float, force: float) -> None:
        """Set the fingers in motion for one control period towards `opening` [m], with at most `force` [N]."""
        change = ACCELERATION * CONTROL_PERIOD
        wanted = min(max((opening - self._before) / CONTROL_PERIOD, -speed), speed)
        rate = min(max(wanted, self._rate - change), self._rate + change)
        if rate > 0.0:
            self._held_at = None
        elif self._held_at is not None:
            rate = min(rate, -HOLD_SPEED)
        self.drive(rate, force)
        self._rate = rate

    def drive(self, rate: float, force: float) -> None:
        """Set the motors: `rate` [m/s] of the opening, with at most `force` [N]; they hold until set again."""
        self._bullet.drive_joints(self._body, self.fingers, [rate / 2, rate / 2], [force / 2, force / 2])

    def observe(self) -> float:
        """Update `status` after the period has passed; returns the measured opening [m]."""
        opening = self.opening()
        moved, self._before = (opening - self._before) / CONTROL_PERIOD, opening
        stalled = abs(self._rate) >= HOLD_SPEED and abs(moved) < STALL_SPEED
        if self._held_at is None and stalled and self._rate < 0 and opening > 0.002:
            self._held_at = opening
        elif self._held_at is not None and opening < self._held_at - SLIPPED:
            self._held_at = None
        if self._held_at is not None:
            self.status = ObjectStatus.STOPPED_CLOSING
        elif stalled and self._rate > 0 and opening < GRIPPER_STROKE - 0.002:
            self.status = ObjectStatus.STOPPED_OPENING
        else:
            self.status = ObjectStatus.MOVING if abs(moved) >= STALL_SPEED else ObjectStatus.AT_TARGET
        return opening
