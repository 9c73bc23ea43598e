"""A Robotiq 2F-85 without its socket: activation, fingers, stalls and faults, advanced by `tick`.

Source: Robotiq, "2F-85 & 2F-140 instruction manual" (registers, speeds, faults). Positions on the wire are bytes,
0 open to 255 closed; the fingers of a real 2F-85 reach about 3 to 230 of them, and so do these.
"""

from __future__ import annotations

from enum import IntEnum

from kprl_fake_hardware.fingers import STROKE, Fingers, FreeFingers

OPEN_POSITION, CLOSED_POSITION = 3, 230
SLOWEST, FASTEST = 0.020, 0.150  # [m/s] of the opening at SPE 0 and 255
WEAKEST, STRONGEST = 20.0, 235.0  # [N] at FOR 0 and 255
ACTIVATION_TIME = 1.5  # [s], in which a real one closes and opens once
STALL_TIME = 0.05  # [s] without movement before the gripper says that it was stopped
RELEASE_SPEED = SLOWEST
AT_TARGET = 0.25 * STROKE / (CLOSED_POSITION - OPEN_POSITION)  # [m] a quarter of a count: real fingers are never exact


class Status(IntEnum):
    """STA."""

    RESET = 0
    ACTIVATING = 1
    ACTIVE = 3


class ObjectStatus(IntEnum):
    """OBJ."""

    MOVING = 0
    STOPPED_OPENING = 1
    STOPPED_CLOSING = 2
    AT_TARGET = 3


class Fault(IntEnum):
    """FLT. From 10 on only a reset (ACT 0, then 1) helps."""

    NONE = 0
    ACTIVATION_PENDING = 5
    NOT_ACTIVATED = 7
    OVERHEATED = 8
    NO_COMMUNICATION = 9
    UNDERVOLTAGE = 10
    RELEASING = 11
    INTERNAL = 12
    ACTIVATION_FAILED = 13
    OVERCURRENT = 14
    RELEASED = 15


class Gripper:
    """What the registers say, and fingers that a world, or nobody, stops; by default in no world, and open."""

    def __init__(self, fingers: Fingers | None = None) -> None:
        self.fingers: Fingers = FreeFingers() if fingers is None else fingers
        self.powered = True  # without power every variable reads `?`
        self.status, self.object_status, self.fault = Status.RESET, ObjectStatus.AT_TARGET, Fault.NONE
        self.fails_to_activate = False
        self.requests = {"ACT": 0, "GTO": 0, "ATR": 0, "ARD": 0, "FOR": 0, "SPE": 0, "POS": 0}
        self._echo = 0  # PRE
        self._was_asked = False  # to be active: a reset is the end of that
        self._activated_for = 0.0  # [s]

    @property
    def opening(self) -> float:
        """[m] between the fingers."""
        return self.fingers.opening

    # The wire.

    def set(self, values: dict[str, int]) -> bool:
        """Write registers, 0 to 255 each; returns whether all of them exist. One wrong value spoils it all."""
        values = {("ARD" if name == "ADR" else name): value for name, value in values.items()}
        if not values or any(name not in self.requests or not 0 <= value <= 255 for name, value in values.items()):
            return False
        self.requests.update(values)
        return True

    def get(self, name: str) -> int | None:
        """Read a register; nothing if there is no such register, or no power."""
        measured = {
            "STA": int(self.status),
            "OBJ": int(self.object_status),
            "FLT": int(self.fault),
            "POS": position_of(self.opening),
            "PRE": self._echo,
        }
        return (self.requests | measured).get("ARD" if name == "ADR" else name) if self.powered else None

    def fail(self, fault: Fault) -> None:
        """Something breaks: the fingers stop, and `fault` stays until a reset."""
        self.fault = fault

    def reset(self) -> None:
        """As after its power was off for a moment: not activated, nothing asked for."""
        self.requests = dict.fromkeys(self.requests, 0)
        self._deactivate()

    # Time.

    def tick(self, period: float) -> None:
        """Let `period` [s] pass."""
        if not self.powered:
            return self.fingers.halt()
        self._echo = self.requests["POS"]
        if not self.requests["ACT"]:
            self.fingers.halt()
            if self._was_asked:
                self._deactivate()
            if self.fault < Fault.OVERHEATED:
                self.fault = Fault.NOT_ACTIVATED if self.requests["GTO"] else Fault.NONE
        elif self.status != Status.ACTIVE:
            self._activate(period)
        elif self.requests["ATR"] or self.fault == Fault.RELEASING:
            self._release(period)
        elif self.fault >= Fault.OVERHEATED or not self.requests["GTO"]:
            self.fingers.halt()
        else:
            self._follow(period)
        self._was_asked = bool(self.requests["ACT"])

    def _deactivate(self) -> None:
        self.status, self._activated_for = Status.RESET, 0.0
        self.fault, self.object_status = Fault.NONE, ObjectStatus.AT_TARGET

    def _activate(self, period: float) -> None:
        if self.fault >= Fault.OVERHEATED:
            return self.fingers.halt()
        self.status = Status.ACTIVATING
        self.fingers.drive(STROKE, FASTEST, WEAKEST, period)  # it ends open
        self._activated_for += period
        self.fault = Fault.ACTIVATION_PENDING if self.requests["GTO"] else Fault.NONE
        if self._activated_for < ACTIVATION_TIME:
            return
        if self.fails_to_activate:
            self.fault = Fault.ACTIVATION_FAILED
            return
        self.status, self.fault = Status.ACTIVE, Fault.NONE

    def _follow(self, period: float) -> None:
        speed = SLOWEST + (FASTEST - SLOWEST) * self.requests["SPE"] / 255.0
        force = WEAKEST + (STRONGEST - WEAKEST) * self.requests["FOR"] / 255.0
        target = opening_of(self.requests["POS"])
        wanted = target - self.opening
        stalled_for = self.fingers.drive(target, speed, force, period)
        if abs(wanted) <= AT_TARGET:
            self.object_status = ObjectStatus.AT_TARGET
        elif stalled_for == 0.0:
            self.object_status = ObjectStatus.MOVING
        elif stalled_for >= STALL_TIME:
            self.object_status = ObjectStatus.STOPPED_OPENING if wanted > 0.0 else ObjectStatus.STOPPED_CLOSING

    def _release(self, period: float) -> None:
        """The automatic release of a robot that was stopped while it holds something."""
        self.fault = Fault.RELEASING
        target = STROKE if self.requests["ARD"] else 0.0
        stalled_for = self.fingers.drive(target, RELEASE_SPEED, WEAKEST, period)
        if stalled_for >= STALL_TIME or abs(target - self.opening) <= AT_TARGET:
            self.fault = Fault.RELEASED
            self.requests["ATR"] = 0


def opening_of(position: int) -> float:
    """Opening [m] at a position on the wire; the fingers' own ends lie at 3 and 230."""
    closed = (position - OPEN_POSITION) / (CLOSED_POSITION - OPEN_POSITION)
    return STROKE * (1.0 - min(max(closed, 0.0), 1.0))


def position_of(opening: float) -> int:
    """Position on the wire at an opening [m]."""
    return round(OPEN_POSITION + (1.0 - opening / STROKE) * (CLOSED_POSITION - OPEN_POSITION))
