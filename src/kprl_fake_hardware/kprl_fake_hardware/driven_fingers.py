"""Fingers that a physics world moves: between the gripper's registers, which ask, and the world, which answers.

Time passes here only as the world says that it did: a world that gets no processor does not look like an object.
"""

from __future__ import annotations

from kprl.sim.gripper import ACCELERATION, HOLD_SPEED, SLIPPED, STALL_SPEED
from kprl_fake_hardware.fingers import STROKE

HELD_AFTER = 0.05  # [s] without movement after which something holds the fingers
CLOSE_ENOUGH = 1e-4  # [m] to the target, that no motor need close
LOCKING_FORCE = 235.0  # [N] that the self-locking drive bears


class DrivenFingers:
    """`drive` and `halt` are the gripper's side, `motor` and `observe` the world's; one lock guards both."""

    def __init__(self, opening: float = STROKE) -> None:
        self._opening, self._target = opening, opening
        self._speed, self._force = 0.0, LOCKING_FORCE
        self._rate = 0.0  # [m/s] of the opening that the motor was last told
        self._stalled_for = 0.0  # [s]
        self._held_at: float | None = None  # [m] opening at which something stopped them
        self._locked = True
        self.holds_object = False
        self.slips = False  # somebody wants what they hold to slip out

    @property
    def opening(self) -> float:
        """As measured in the world [m]."""
        return self._opening

    # The gripper's side.

    def drive(self, target: float, speed: float, force: float, period: float) -> float:
        """See `Fingers`."""
        if self._held_at is not None and (target - self._opening) * (self._target - self._opening) < 0.0:
            self._release()  # the other way
        self._target, self._speed, self._force, self._locked = target, speed, force, False
        return self._stalled_for

    def halt(self) -> None:
        """See `Fingers`; what is held stays held."""
        if not self._locked and self._held_at is None:
            self._target, self._force = self._opening, LOCKING_FORCE
            self._release()
        self._locked = True

    def put_object(self, width: float) -> None:
        """Refused."""
        raise ValueError("the world decides what lies between the fingers: lay a new scene instead")

    def take_object(self) -> None:
        """What they hold slips out."""
        self.slips = True

    def block_opening(self, opening: float) -> None:
        """Refused."""
        raise ValueError("the world decides what stops the fingers")

    def unblock_opening(self) -> None:
        """Refused."""
        raise ValueError("the world decides what stops the fingers")

    # The world's side.

    def motor(self, period: float) -> tuple[float, float]:
        """Rate [m/s] of the opening and force [N] for the next `period` [s] of the world."""
        gap = self._target - self._opening
        limit = self._speed if self._held_at is None else HOLD_SPEED
        wanted = min(max(gap / period, -limit), limit)
        if self._held_at is not None and self._target <= self._held_at:
            wanted = -HOLD_SPEED  # the self-locking drive keeps pressing
        change = ACCELERATION * period
        self._rate = min(max(wanted, self._rate - change), self._rate + change)
        if self._held_at is None:
            # Braking is part of the way: it must not overshoot the target.
            most = (2.0 * ACCELERATION * abs(gap)) ** 0.5
            self._rate = min(max(self._rate, -most), most)
        return self._rate, self._force

    def observe(self, opening: float, period: float) -> None:
        """`period` [s] later they are at `opening` [m]."""
        moved, self._opening = abs(opening - self._opening) / period, opening
        if self._held_at is not None:
            if abs(opening - self._held_at) > SLIPPED:
                self._release()
            else:
                self._stalled_for += period
        elif abs(self._target - opening) > CLOSE_ENOUGH and moved < STALL_SPEED and not self._locked:
            self._stalled_for += period
            if self._stalled_for >= HELD_AFTER:
                self._held_at = opening
        else:
            self._stalled_for = 0.0

    def _release(self) -> None:
        self._held_at, self._stalled_for = None, 0.0
