"""One simulated world: robot, task, camera and randomization, advanced one control period at a time.

The Gymnasium environment puts observations and rewards on it, the ROS 2 bridge puts messages on it; neither adds
physics of its own, so that both give the same transitions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from kprl.action import GRIPPER_STROKE, Command
from kprl.control.limits import CONTROL_HZ, CONTROL_PERIOD, WORKSPACE
from kprl.errors import KprlError, require_choice
from kprl.preprocess import IMAGE_SIZE
from kprl.sim.arm import Arm
from kprl.sim.assets.make_urdf import FOLDER
from kprl.sim.bullet import PHYSICS_HZ, Bullet
from kprl.sim.camera import GRIPPER, TARGET, CameraFrame, link_key, render
from kprl.sim.gripper import Gripper
from kprl.sim.objects import OBJECTS
from kprl.sim.randomization import Appearance, Ranges, draw, nominal
from kprl.tasks import make_task
from kprl.tasks.start_states import START_KINDS, StartState, StartStates

Array = npt.NDArray[np.float64]

PHYSICS_STEPS = int(PHYSICS_HZ / CONTROL_HZ)
TABLE_HALF = (0.45, 0.6, 0.02)  # [m]
GRIPPER_LINKS = ("tool0-palm", "left_finger_joint", "right_finger_joint")


@dataclass(frozen=True)
class Snapshot:
    """What can be known of a world after a control period. SI units, `base_link`."""

    image: npt.NDArray[np.uint8]  # (64, 64) what the camera saw
    tcp_position: Array  # (3,)
    tcp_quaternion: Array  # (4,) xyzw
    joint_positions: Array  # (6,)
    opening: float
    gripper_object: int  # the 2F-85's register OBJ
    applied_linear: Array  # (3,) tool velocity after limits
    object_position: Array  # (3,) from here on: truth that only a simulator has
    object_quaternion: Array  # (4,) xyzw
    object_linear_velocity: Array  # (3,)
    grasped: bool
    goal: Array  # (3,)
    time: float  # since reset
    step: int


class World:
    """A UR5 with a 2F-85 at a table with one object, seen by one camera."""

    def __init__(
        self,
        task: str = "grasp",
        scene: str = "env1",
        object: str = "cube",
        randomize: bool = True,
        ranges: Ranges | None = None,
        image_size: int = IMAGE_SIZE,
    ) -> None:
        self.task = make_task(task, scene)
        self.model = OBJECTS[require_choice("object", object, list(OBJECTS))]
        self._ranges, self._randomize, self._image_size = ranges or Ranges(), randomize, image_size
        self._starts = StartStates(self.task, self.model.rest_height, self.model.grip_width)
        self._bullet = Bullet()
        self._table = self._bullet.add_body([(TABLE_HALF, (0.0, 0.0, 0.0))], mass=0.0, friction=0.7)
        self._bullet.place(self._table, (0.55, 0.0, -TABLE_HALF[2]), (0, 0, 0, 1))
        self._floor = self._bullet.add_body([((3.0, 3.0, 0.01), (0.0, 0.0, 0.0))], mass=0.0, collides=False)
        self._bullet.place(self._floor, (0.0, 0.0, -0.75), (0, 0, 0, 1))
        self._robot = self._bullet.load_urdf(FOLDER / "ur5_2f85.urdf")
        self._arm, self._gripper = Arm(self._bullet, self._robot), Gripper(self._bullet, self._robot)
        self._object = self._bullet.add_body(self.model.parts, self.model.mass)
        links = self._bullet.joint_indices(self._robot)
        self._gripper_links = [links[name] for name in GRIPPER_LINKS]
        self._classes = {link_key(self._robot, link): GRIPPER for link in self._gripper_links}
        self._classes[link_key(self._object, -1)] = TARGET
        self._painted = self._bullet.visual_links(self._robot)
        # Nothing touches anything here, so that a restored world keeps no contacts of the episode before.
        self._bullet.place(self._object, (0.5, 0.0, 2.0), (0, 0, 0, 1))
        self._arm.place(WORKSPACE.centre)
        self._gripper.place(GRIPPER_STROKE)
        self._empty = self._bullet.save()
        self._appearance = nominal(self._ranges)
        self._rng = np.random.default_rng(0)
        self._goal = np.zeros(3)
        self._step: int | None = None

    def close(self) -> None:
        """End the physics world."""
        self._bullet.close()

    @property
    def appearance(self) -> Appearance:
        """What the world looks and feels like since the last reset."""
        return self._appearance

    def reset(self, seed: int, start: str = "ordinary") -> Snapshot:
        """Begin an episode; all that follows depends on `seed`, `start` and the commands only."""
        self._begin(seed, start)
        return self._observe()

    def _begin(self, seed: int, start: str) -> None:
        require_choice("start", start, START_KINDS)
        self._rng = np.random.default_rng(seed)
        state = self._starts.sample(start, self._rng)
        self._appearance = draw(self._ranges, self._rng) if self._randomize else nominal(self._ranges)
        self._bullet.restore(self._empty)
        self._bullet.find_contacts()
        self._dress()
        self._arrange(state)
        self._step = 0

    def step(self, command: Command) -> Snapshot:
        """Advance exactly one control period, 12 steps of physics, under one command."""
        if self._step is None:
            raise KprlError("the world was stepped before its first reset: call reset(seed) first")
        self._arm.command(command.linear)
        self._gripper.command(command.opening, command.gripper_speed, command.gripper_force)
        self._bullet.step(PHYSICS_STEPS)
        self._step += 1
        return self._observe()

    def scatter(self, seed: int) -> CameraFrame:
        """A picture, with its truth, of a random state that an episode may pass through."""
        self._begin(seed, "scatter")
        clean = self._render()
        return CameraFrame(self._appearance.develop(clean.grey, self._rng), clean.depth, clean.segmentation)

    def _dress(self) -> None:
        """Give bodies the colours and contact properties of the appearance."""
        look, greys = self._appearance, self._appearance.greys
        self._bullet.set_colour(self._table, -1, greys["table"])
        self._bullet.set_colour(self._floor, -1, greys["floor"])
        self._bullet.set_colour(self._object, -1, greys["target"])
        for link in self._painted:
            self._bullet.set_colour(self._robot, link, greys["gripper" if link in self._gripper_links else "robot"])
        self._bullet.set_mass(self._object, self.model.mass * look.mass_scale)
        self._bullet.set_contact(self._object, -1, look.friction, spinning=0.005)

    def _arrange(self, state: StartState) -> None:
        """Put robot, object and goal where the start state has them."""
        quaternion = Rotation.from_euler("z", state.object_yaw).as_quat()
        self._bullet.place(self._object, state.object_position.tolist(), quaternion.tolist())
        self._arm.place(state.tcp)
        self._gripper.place(state.opening, state.held)
        self._bullet.find_contacts()
        self._goal = state.goal

    def _render(self) -> CameraFrame:
        return render(self._bullet, self._appearance.camera, self._appearance.light, self._classes, self._image_size)

    def _observe(self) -> Snapshot:
        assert self._step is not None
        opening = self._gripper.observe()
        joints = self._arm.joint_positions()
        pose = self._arm.tool_pose(joints)
        position, quaternion = self._bullet.pose(self._object)
        grasped = all(self._bullet.touching(self._robot, finger, self._object) for finger in self._gripper.fingers)
        return Snapshot(
            image=self._appearance.develop(self._render().grey, self._rng),
            tcp_position=pose[:3, 3],
            tcp_quaternion=Rotation.from_matrix(pose[:3, :3]).as_quat(),
            joint_positions=joints,
            opening=opening,
            gripper_object=int(self._gripper.status),
            applied_linear=self._arm.velocity.copy(),
            object_position=position,
            object_quaternion=quaternion,
            object_linear_velocity=self._bullet.velocity(self._object),
            grasped=grasped,
            goal=self._goal,
            time=self._step * CONTROL_PERIOD,
            step=self._step,
        )
