"""The simulated 2F-85: one drive for both fingers, 85 mm stroke, limited force, and register OBJ as the real one."""

from __future__ import annotations

import numpy as np
import pytest

from kprl.action import GRIPPER_FORCE, GRIPPER_STROKE, MAX_GRIPPER_SPEED
from kprl.control.limits import CONTROL_PERIOD, TICKS, WORKSPACE
from kprl.sim.arm import Arm
from kprl.sim.assets.make_urdf import FOLDER
from kprl.sim.bullet import Bullet
from kprl.sim.gripper import Gripper, ObjectStatus
from kprl.sim.objects import Box

PERIODS = round(1.5 / CONTROL_PERIOD)


class Bench:
    """The robot standing still, and blocks between or beside its fingers that cannot move."""

    def __init__(self) -> None:
        self.bullet = Bullet()
        self.robot = self.bullet.load_urdf(FOLDER / "ur5_2f85.urdf")
        self.arm, self.gripper = Arm(self.bullet, self.robot), Gripper(self.bullet, self.robot)
        self.arm.place(WORKSPACE.centre)
        self.gripper.place(GRIPPER_STROKE)

    def block(self, half_width: float, y: float = 0.0) -> int:
        body = self.bullet.add_body([Box((0.01, half_width, 0.01))], mass=0.0)
        self.bullet.place(body, (WORKSPACE.centre + [0.0, y, 0.0]).tolist(), (0, 0, 0, 1))
        return body

    def drive(self, opening: float, speed: float = MAX_GRIPPER_SPEED, force: float = GRIPPER_FORCE) -> list[float]:
        """Ask for an opening until the time is up; returns the openings."""
        openings = []
        for _ in range(PERIODS):
            self.gripper.command(opening, speed, force)
            for rates in self.arm.plan(np.zeros(3)):
                self.arm.drive(rates)
                self.bullet.step(12 // TICKS)
            self.arm.observe()
            openings.append(self.gripper.observe())
        return openings

    def fingers(self) -> np.ndarray:
        return self.bullet.joint_positions(self.robot, self.gripper.fingers)

    def force_on(self, body: int) -> float:
        """Largest normal force [N] of one finger on the body."""
        forces = []
        for finger in self.gripper.fingers:
            contacts = self.bullet.client.getContactPoints(bodyA=self.robot, linkIndexA=finger, bodyB=body)
            forces.append(sum(contact[9] for contact in contacts))
        return max(forces)


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.bullet.close()


def test_it_closes_and_opens_over_its_whole_stroke(bench):
    closed = bench.drive(0.0)
    assert closed[-1] < 0.001
    assert bench.gripper.status == ObjectStatus.AT_TARGET
    opened = bench.drive(GRIPPER_STROKE)
    assert opened[-1] > GRIPPER_STROKE - 0.001
    assert bench.gripper.status == ObjectStatus.AT_TARGET
    steps = np.abs(np.diff([*closed, *opened]))
    assert steps.max() <= MAX_GRIPPER_SPEED * CONTROL_PERIOD * 1.05


def test_it_stalls_on_an_object_and_says_what_it_holds(bench):
    bench.block(0.02)
    openings = bench.drive(0.0)
    assert abs(openings[-1] - 0.04) < 0.001
    assert bench.gripper.status == ObjectStatus.STOPPED_CLOSING


@pytest.mark.parametrize("offset", [-0.012, 0.012])
def test_what_stops_one_finger_stops_both(bench, offset):
    """The linkage couples them, as the real one's does; the block cannot give way, and the other finger has room."""
    bench.block(0.02, offset)
    bench.drive(0.0)
    left, right = bench.fingers()
    assert abs(left - right) < 0.002
    assert abs(max(left, right) - (0.02 + 0.012)) < 0.002


@pytest.mark.parametrize("force", [20.0, 40.0, 100.0])
def test_the_force_is_the_one_asked_for(bench, force):
    body = bench.block(0.02)
    bench.drive(0.0, force=force)
    assert 0.3 * force <= bench.force_on(body) <= 1.05 * force


def test_it_says_what_stops_it_from_opening(bench):
    bench.gripper.place(0.03)
    for side in (-1, 1):
        bench.block(0.01, side * 0.055)  # outside the fingers
    bench.drive(GRIPPER_STROKE)
    assert bench.gripper.opening() < GRIPPER_STROKE - 0.01
    assert bench.gripper.status == ObjectStatus.STOPPED_OPENING


def test_it_says_that_a_held_object_is_gone(bench):
    body = bench.block(0.02)
    bench.drive(0.0)
    assert bench.gripper.status == ObjectStatus.STOPPED_CLOSING
    bench.bullet.place(body, (0.5, 0.0, 3.0), (0, 0, 0, 1))
    bench.drive(0.0)
    assert bench.gripper.status == ObjectStatus.AT_TARGET
    assert bench.gripper.opening() < 0.001
