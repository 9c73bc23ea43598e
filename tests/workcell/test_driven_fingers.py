"""Fingers that a world moves, and a gripper's registers on top: the world here is a wall at some opening."""

from __future__ import annotations

import pytest

from kprl.sim.bullet import PHYSICS_HZ
from kprl_fake_hardware.driven_fingers import DrivenFingers
from kprl_fake_hardware.fingers import STROKE
from kprl_fake_hardware.gripper import ACTIVATION_TIME, Gripper, ObjectStatus, opening_of, position_of

STEP = 1.0 / PHYSICS_HZ  # [s]
PERIOD = 0.008  # [s] of the gripper


class Play:
    """A gripper and a world in which something `inside` [m] wide may lie between the fingers."""

    def __init__(self) -> None:
        self.fingers = DrivenFingers()
        self.gripper = Gripper(self.fingers)
        self.inside = 0.0
        self.rates: list[float] = []
        self._debt = 0.0
        self.gripper.set({"ACT": 1})
        self.run(ACTIVATION_TIME + 0.1)

    def run(self, seconds: float, world_runs: bool = True) -> None:
        for _ in range(round(seconds / PERIOD)):
            self.gripper.tick(PERIOD)
            self._debt += PERIOD if world_runs else 0.0
            while self._debt >= STEP:
                self._debt -= STEP
                self.rates.append(self.fingers.motor(STEP)[0])
                opening = self.fingers.opening + self.rates[-1] * STEP
                self.fingers.observe(min(max(opening, self.inside), STROKE), STEP)

    def go(self, position: int, speed: int = 255, seconds: float = 1.5) -> tuple[int, int]:
        """OBJ and POS after a while."""
        self.gripper.set({"POS": position, "SPE": speed, "FOR": 30, "GTO": 1})
        self.run(seconds)
        return self.gripper.get("OBJ"), self.gripper.get("POS")


@pytest.mark.parametrize("position", [10, 100, 200, 255])
@pytest.mark.parametrize(("speed", "most"), [(0, 0.020), (255, 0.150)])
def test_they_reach_the_target_within_speed_and_acceleration(position, speed, most):
    play = Play()
    assert play.go(position, speed, 5.0) == (ObjectStatus.AT_TARGET, position_of(opening_of(position)))
    assert max(abs(rate) for rate in play.rates) <= most + 1e-9
    changes = [abs(b - a) for a, b in zip(play.rates, play.rates[1:], strict=False)]
    assert max(changes) <= 2.0 * STEP  # [m/s] at 1 m/s^2, twice that for the last touch


@pytest.mark.parametrize("width", [0.02, 0.045, 0.07])
def test_what_they_meet_is_held_until_it_slips(width):
    play = Play()
    play.inside = width
    assert play.go(255) == (ObjectStatus.STOPPED_CLOSING, position_of(width))
    assert play.rates[-1] < 0.0  # they keep pressing
    play.inside = 0.0
    play.run(0.3)
    assert play.gripper.get("OBJ") == ObjectStatus.MOVING
    play.run(3.0)
    assert (play.gripper.get("OBJ"), play.gripper.get("POS")) == (ObjectStatus.AT_TARGET, 230)


def test_a_world_that_stands_still_looks_like_no_object():
    play = Play()
    play.go(255, seconds=0.2)
    play.run(2.0, world_runs=False)
    assert play.gripper.get("OBJ") == ObjectStatus.MOVING


def test_what_is_held_stays_held_while_the_gripper_is_told_nothing():
    play = Play()
    play.inside = 0.045
    play.go(255)
    play.gripper.set({"GTO": 0})
    play.run(0.5)
    assert play.rates[-1] < 0.0
    play.gripper.set({"GTO": 1})
    assert play.go(0) == (ObjectStatus.AT_TARGET, 3)  # and lets go when told


def test_a_gripper_that_is_told_nothing_stays_where_it_is():
    play = Play()
    play.go(255, seconds=0.2)
    play.gripper.set({"GTO": 0})
    play.run(0.1)
    before = play.fingers.opening
    play.run(0.5)
    assert abs(play.fingers.opening - before) < 2e-3 and play.rates[-1] == 0.0


def test_the_world_decides_what_lies_there():
    for order in (
        lambda fingers: fingers.put_object(0.04),
        lambda fingers: fingers.block_opening(0.04),
        lambda fingers: fingers.unblock_opening(),
    ):
        with pytest.raises(ValueError, match="the world decides"):
            order(DrivenFingers())
