"""What the gripper's fingers meet: the interface between the gripper's registers and the world they are in."""

from __future__ import annotations

from typing import Protocol

STROKE = 0.085  # [m] between the fingers when open
ROUNDING = 1e-9  # [m]


class Fingers(Protocol):
    """Two fingers that a drive moves as one. Openings [m], speeds [m/s] of the opening, forces [N]."""

    @property
    def opening(self) -> float:
        """Where they are."""

    @property
    def holds_object(self) -> bool:
        """Whether they touch what lies between them."""

    def drive(self, target: float, speed: float, force: float, period: float) -> float:
        """Move towards `target` during the next `period` [s]; returns for how long [s] they have not moved."""

    def halt(self) -> None:
        """Stay where they are: the drive locks itself."""

    def put_object(self, width: float) -> None:
        """Something `width` [m] wide comes between them. Errors: `ValueError` where the world decides that."""

    def take_object(self) -> None:
        """It slips out of them."""

    def block_opening(self, opening: float) -> None:
        """Something outside stops them. Errors: `ValueError` where the world decides that."""

    def unblock_opening(self) -> None:
        """It is gone. Errors: `ValueError` where the world decides that."""


class FreeFingers:
    """Fingers in no world: what lies between them is what somebody says, and weighs nothing."""

    def __init__(self, opening: float = STROKE) -> None:
        self._opening = opening
        self._stalled_for = 0.0  # [s]
        self._inside: float | None = None  # [m] width of what lies between the fingers
        self._outside: float | None = None  # [m] opening at which something outside stops them

    @property
    def opening(self) -> float:
        """Where they are [m]."""
        return self._opening

    @property
    def holds_object(self) -> bool:
        """Whether they touch what lies between them."""
        return self._inside is not None and self._opening <= self._inside + ROUNDING

    def drive(self, target: float, speed: float, force: float, period: float) -> float:
        """Move towards `target` [m] as far as things let them; for how long [s] they have not moved."""
        before, most = self._opening, speed * period
        reached = before + min(max(target - before, -most), most)
        if self._inside is not None:
            reached = max(reached, self._inside)
        if self._outside is not None and reached > before:
            reached = max(before, min(reached, self._outside))
        self._opening = reached
        self._stalled_for = 0.0 if abs(reached - before) > ROUNDING else self._stalled_for + period
        return self._stalled_for

    def halt(self) -> None:
        """Stay where they are."""
        self._stalled_for = 0.0

    def put_object(self, width: float) -> None:
        """Something `width` [m] wide comes between them."""
        self._inside = min(max(width, 0.0), STROKE)
        self._opening = max(self._opening, self._inside)

    def take_object(self) -> None:
        """It slips out of them."""
        self._inside = None

    def block_opening(self, opening: float) -> None:
        """Something outside stops them at `opening` [m]."""
        self._outside = max(opening, self._inside or 0.0)

    def unblock_opening(self) -> None:
        """It is gone."""
        self._outside = None
