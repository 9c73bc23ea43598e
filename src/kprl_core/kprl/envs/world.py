"""One simulated world: robot, task, camera and randomization, advanced one control period at a time.

The Gymnasium environment puts observations and rewards on it, the ROS 2 bridge puts messages on it; neither adds
physics of its own, so that both give the same transitions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kprl.action import GRIPPER_STROKE, Command
from kprl.control.limits import CONTROL_PERIOD, TICK, TICKS, WORKSPACE
from kprl.envs.scenery import Scenery
from kprl.errors import KprlError, require_choice
from kprl.preprocess import IMAGE_SIZE
from kprl.sim.arm import Arm
from kprl.sim.bullet import PHYSICS_HZ, Bullet
from kprl.sim.camera import CameraFrame
from kprl.sim.gripper import Gripper
from kprl.sim.objects import ObjectModel
from kprl.sim.randomization import Appearance
from kprl.sim.sensor import FrameStream
from kprl.tasks.start_states import START_KINDS, StartState

Array = npt.NDArray[np.float64]

TICK_STEPS = round(PHYSICS_HZ * TICK)  # physics steps in a tick of the arm's controller: 2, so 12 in a control period


@dataclass(frozen=True)
class Snapshot:
    """What can be known of a world after a control period. SI units, `base_link`."""

    image: npt.NDArray[np.uint8]  # (64, 64) what the camera saw
    tcp_position: Array  # (3,)
    tcp_rotation: Array  # (3, 3)
    joint_positions: Array  # (6,)
    opening: float
    gripper_object: int  # the 2F-85's register OBJ
    applied_linear: Array  # (3,) tool velocity after limits
    object_position: Array  # (3,) from here on: truth that only a simulator has
    object_quaternion: Array  # (4,) xyzw
    object_linear_velocity: Array  # (3,)
    engaged: bool  # the task's word for it: the object is held (grasp), was touched (push)
    goal: Array  # (3,)
    time: float  # since reset
    step: int


class World:
    """A UR5 with a 2F-85 at a table with one object to handle, of several one an episode, seen by one camera."""

    def __init__(
        self,
        task: str = "grasp",
        scene: str = "env1",
        object: str = "cube",
        randomization: str = "train",
        image_size: int = IMAGE_SIZE,
    ) -> None:
        self._scenery = Scenery(task, scene, object, randomization, image_size)
        self.task, self._view = self._scenery.task, self._scenery.view
        self._bullet, self._stage, self._robot = self._scenery.bullet, self._scenery.stage, self._scenery.robot
        self._arm, self._gripper = Arm(self._bullet, self._robot), Gripper(self._bullet, self._robot)
        self._stage.clear()
        self._arm.place(WORKSPACE.centre)
        self._gripper.place(GRIPPER_STROKE)
        self._empty = self._bullet.save()
        self._step: int | None = None

    def close(self) -> None:
        """End the physics world."""
        self._scenery.close()

    @property
    def model(self) -> ObjectModel:
        """The object to handle; of several, that of the last reset."""
        return self._scenery.model

    @property
    def bullet(self) -> Bullet:
        """The physics, for benchmarks and tests."""
        return self._bullet

    @property
    def appearance(self) -> Appearance:
        """What the world looks and feels like since the last reset."""
        return self._appearance

    @property
    def start(self) -> StartState:
        """Where the episode began."""
        return self._start

    def reset(self, seed: int, start: str = "ordinary") -> Snapshot:
        """Begin an episode; all that follows depends on `seed`, `start` and the commands only."""
        self._begin(seed, start)
        self._frames = FrameStream(self._appearance.sensor, self._develop(self._view.picture()))
        return self._observe(self._frames.last)

    def _begin(self, seed: int, start: str) -> None:
        require_choice("start", start, START_KINDS)
        self._rng = np.random.default_rng(seed)
        self._start, self._appearance = self._scenery.draw(start, self._rng)
        self._bullet.restore(self._empty)
        self._stage.clear()  # mass is no part of what is restored
        self._bullet.find_contacts()  # nothing touches anything here: no contact of the episode before is kept
        self._arrange(self._start, self._appearance)
        self._goal, self._touched, self._step = self._start.goal, False, 0

    def _arrange(self, state: StartState, appearance: Appearance) -> None:
        """Put robot, object and clutter where the start state has them, with the looks of the appearance."""
        surfaces = self._scenery.dress(state, appearance)
        self._arm.place(state.tcp)
        self._arm.delay, self._arm.gain = appearance.dynamics.control_delay, appearance.dynamics.velocity_gain
        self._gripper.place(state.opening, state.held)
        self._bullet.find_contacts()
        self._view.dress(appearance, surfaces)

    def step(self, command: Command) -> Snapshot:
        """Advance exactly one control period, 12 steps of physics, under one command."""
        if self._step is None:
            raise KprlError("the world was stepped before its first reset: call reset(seed) first")
        rates = self._arm.plan(command.linear)
        self._gripper.command(command.opening, command.gripper_speed, command.gripper_force)
        for tick in range(TICKS):
            self._arm.drive(rates[tick])
            self._bullet.step(TICK_STEPS)
        self._step += 1
        return self._observe(self._frames.deliver(self._develop(self._view.picture()), self._rng))

    def scatter(self, seed: int) -> CameraFrame:
        """A picture, with its truth, of a random state that an episode may pass through."""
        self._begin(seed, "scatter")
        seen = self._develop(self._view.picture())
        return replace(self._view.frame(), grey=seen)

    def truth(self) -> CameraFrame:
        """The picture of this moment as the lens draws it, before the sensor, with depth and classes."""
        return self._view.frame()

    def _develop(self, light: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return self._appearance.sensor.develop(light, self._rng)

    def _observe(self, image: npt.NDArray[np.uint8]) -> Snapshot:
        assert self._step is not None
        opening = self._gripper.observe()
        joints, pose = self._arm.observe()
        position, quaternion = self._bullet.pose(self._stage.object)
        touching = self._bullet.links_touching(self._robot, self._stage.object)
        touched = [finger in touching for finger in self._gripper.fingers]
        self._touched |= any(touched)
        return Snapshot(
            image=image,
            tcp_position=pose[:3, 3],
            tcp_rotation=pose[:3, :3],
            joint_positions=joints,
            opening=opening,
            gripper_object=int(self._gripper.status),
            applied_linear=self._arm.velocity.copy(),
            object_position=position,
            object_quaternion=quaternion,
            object_linear_velocity=self._bullet.velocity(self._stage.object),
            engaged=self.task.engaged(touched, self._touched),
            goal=self._goal,
            time=self._step * CONTROL_PERIOD,
            step=self._step,
        )
