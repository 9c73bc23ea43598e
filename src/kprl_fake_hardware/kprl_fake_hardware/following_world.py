"""The physics: an arm that does what the controller's joints do, fingers that the gripper drives, and things that obey
neither. It has no picture; the camera's process draws its own from the poses.
"""

from __future__ import annotations

import time
from collections import deque

import numpy as np
import numpy.typing as npt

from kprl.control.kinematics import tool_and_jacobian
from kprl.control.limits import CONTROL_PERIOD
from kprl.preprocess import IMAGE_SIZE
from kprl.sim.arm import Arm
from kprl.sim.assets.make_urdf import TCP_OFFSET
from kprl.sim.bullet import PHYSICS_HZ
from kprl.sim.gripper import Gripper
from kprl_fake_hardware.driven_fingers import DrivenFingers
from kprl_fake_hardware.fingers import STROKE
from kprl_fake_hardware.scene import OBJECT, START, Domain, Poses, Truth

Array = npt.NDArray[np.float64]

STEP = 1.0 / PHYSICS_HZ  # [s], as in training
STEPS = round(CONTROL_PERIOD / STEP)  # between two truths
CATCH_UP_SPEED = 4.0  # [rad/s] of a joint that was held back: a little more than any joint may turn
AJAR = 0.002  # [m] less than the stroke, that count as open
CLEAR_DISTANCE = 0.09  # [m] of the object from the tool
TRUTHS = 100  # that wait to be taken: five seconds


class FollowingWorld:
    """A scene with a robot whose joints somebody else decides. `lay` the first scene, then `advance` lets time pass.

    `goal` (3,) [m] is that of every scene; None: the task draws one each.
    """

    def __init__(self, domain: Domain, joints: Array, fingers: DrivenFingers, goal: Array | None = None) -> None:
        self.domain, self._fixed_goal = domain, goal
        self._scenery = domain.scenery(IMAGE_SIZE, IMAGE_SIZE)
        self._bullet, self._stage = self._scenery.bullet, self._scenery.stage
        self._arm = Arm(self._bullet, self._scenery.robot)
        self._gripper = Gripper(self._bullet, self._scenery.robot)
        self._fingers = fingers
        self._stage.clear()
        self._arm.put(joints)
        self._gripper.place(STROKE)
        self._empty = self._bullet.save()
        self._from, self._ahead = joints.copy(), 0.0  # joints a controller's period ago; [s] not yet simulated
        self._wanted = joints.copy()  # joints at the end of the step before
        self._slips = False
        self.strain = 0.0  # [rad] by which the joint that something holds back most is behind
        self.scene = -1
        self.truths: deque[Truth] = deque(maxlen=TRUTHS)

    def lay(self, seed: int, joints: Array) -> None:
        """Lay a new scene about the robot, which stays as it is; all that is drawn depends on `seed` only."""
        start, appearance = self._scenery.draw(START, np.random.default_rng(seed))
        self._bullet.restore(self._empty)
        self._stage.clear()  # mass is no part of what is restored
        self._bullet.find_contacts()  # nothing touches anything here: no contact of the scene before is kept
        self._scenery.dress(start, appearance)
        self._arm.put(joints)
        self._gripper.place(self._fingers.opening)
        self._bullet.find_contacts()
        self._lying = {OBJECT: self._stage.object} | {
            lying.index: self._stage.distractors[lying.index] for lying in start.distractors
        }
        goal = start.goal if self._fixed_goal is None else self._fixed_goal
        self.seed, self.goal, self.scene = seed, goal, self.scene + 1
        self._steps, self._touched = 0, False
        self._grip(True)
        self._from, self._wanted, self._ahead = joints.copy(), joints.copy(), 0.0
        self.truths.append(self.truth())

    def advance(self, joints: Array, period: float) -> None:
        """Let `period` [s] pass, in which the controller's joints have gone to `joints` (6,) [rad]."""
        turn = (joints - self._from) / period  # (6,) [rad/s]
        self._ahead += period
        while self._ahead >= STEP:
            self._ahead -= STEP
            self._step(joints - turn * self._ahead)
        self._from = joints.copy()

    def _step(self, target: Array) -> None:
        """One step of physics, at the end of which the arm's joints are to be at `target` (6,) [rad]."""
        joints = self._arm.joint_positions()
        self.strain = float(np.abs(self._wanted - joints).max())
        self._wanted = target
        rates = (target - joints) / STEP
        self._arm.drive(rates.clip(-CATCH_UP_SPEED, CATCH_UP_SPEED))
        if self._fingers.slips and not self._slips:
            self._grip(False)
        self._gripper.drive(*self._fingers.motor(STEP))
        self._bullet.step(1)
        self._fingers.observe(self._gripper.opening(), STEP)
        self._steps += 1
        if self._steps % STEPS == 0:
            self.truths.append(self.truth())

    def rest(self) -> Array:
        """Follow no further: whoever held the arm back has won. Returns the joints (6,) [rad] where it is."""
        self._from = self._arm.joint_positions()
        self._wanted, self._ahead, self.strain = self._from.copy(), 0.0, 0.0
        return self._from.copy()

    def truth(self) -> Truth:
        """How it is now."""
        position, quaternion = self._bullet.pose(self._stage.object)
        touching = self._bullet.links_touching(self._scenery.robot, self._stage.object)
        touched = [finger in touching for finger in self._gripper.fingers]
        self._touched |= any(touched)
        self._fingers.holds_object = all(touched)
        if self._slips and self._is_clear(position):
            self._grip(True)
        return Truth(
            seed=self.seed,
            step=self._steps // STEPS,
            time=time.time_ns(),
            position=tuple(position.tolist()),
            quaternion=tuple(quaternion.tolist()),
            velocity=tuple(self._bullet.velocity(self._stage.object).tolist()),
            engaged=self._scenery.task.engaged(touched, self._touched),
            is_success=bool(self._scenery.task.is_success(position, self.goal)),
            goal=tuple(self.goal.tolist()),
        )

    def poses(self) -> Poses:
        """Where everything is now."""
        bodies = ((index, self._bullet.pose(body)) for index, body in self._lying.items())
        return Poses(
            scene=self.scene,
            seed=self.seed,
            time=time.time_ns(),
            joints=tuple(self._arm.joint_positions().tolist()),
            opening=self._fingers.opening,
            bodies=tuple((index, (*place.tolist(), *turn.tolist())) for index, (place, turn) in bodies),
        )

    def close(self) -> None:
        """End the physics."""
        self._scenery.close()

    def _grip(self, holds: bool) -> None:
        """Let the pads hold the object, or let it pass through them until it is clear: friction changes too late."""
        for finger in self._gripper.fingers:
            self._bullet.set_touch(self._scenery.robot, finger, self._stage.object, holds)
        self._slips, self._fingers.slips = not holds, not holds

    def _is_clear(self, position: Array) -> bool:
        """Whether the pads would not be inside the object at `position` (3,) [m]."""
        tool = tool_and_jacobian(self._arm.joint_positions(), TCP_OFFSET)[0][:3, 3]
        return self._fingers.opening > STROKE - AJAR or float(np.linalg.norm(position - tool)) > CLEAR_DISTANCE
