"""All that can be seen of a world, drawn from a seed: table, things, robot, camera. It does not say what moves them.

The training world moves them by physics of its own; another process that is told where everything is can show the
same scene, because the same seed draws the same looks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kprl.control.kinematics import JOINT_NAMES
from kprl.envs.stage import Stage
from kprl.preprocess import IMAGE_SIZE
from kprl.sim.assets.make_urdf import FOLDER
from kprl.sim.bullet import Bullet
from kprl.sim.camera import GRIPPER, TARGET
from kprl.sim.objects import ObjectModel, object_models
from kprl.sim.randomization import Appearance, Surface, draw
from kprl.sim.ranges import read_ranges
from kprl.sim.scenes import read_scene
from kprl.sim.view import View
from kprl.tasks import make_task
from kprl.tasks.start_states import StartSampler, StartState

GRIPPER_LINKS = ("tool0-palm", "left_finger_joint", "right_finger_joint")
FINGER_JOINTS = ("left_finger_joint", "right_finger_joint")


class Scenery:
    """The bodies of a task's scene, and the camera's view of `height` by `width` pixels.

    `object` names what there is to handle; of several, as in `cube+gear`, each draw chooses one.
    """

    def __init__(
        self,
        task: str,
        scene: str,
        object: str,
        randomization: str,
        height: int = IMAGE_SIZE,
        width: int | None = None,
    ) -> None:
        self.task = make_task(task, scene)
        self._models = object_models(object)
        self._ranges, self._scene = read_ranges(randomization), read_scene(scene)
        self.bullet = Bullet()
        self.stage = Stage(self.bullet, self._scene, self._models)
        self.robot = self.bullet.load_urdf(FOLDER / "ur5_2f85.urdf")
        links = self.bullet.joint_indices(self.robot)
        self._joints = [links[name] for name in (*JOINT_NAMES, *FINGER_JOINTS)]
        self._gripper_links = [links[name] for name in GRIPPER_LINKS]
        classes = {self.bullet.link_number(self.robot, link): GRIPPER for link in self._gripper_links}
        classes |= {self.bullet.link_number(body, -1): TARGET for body in self.stage.objects}
        self._painted = self.bullet.visual_links(self.robot)
        self.view = View(self.bullet, classes, self.stage.table, height, width)
        self._starts = [
            StartSampler(self.task, model, self.stage.clutter, self._scene.distractors) for model in self._models
        ]

    @property
    def model(self) -> ObjectModel:
        """The object that is there since the last draw."""
        return self._models[self.stage.chosen]

    def draw(self, start: str, rng: np.random.Generator) -> tuple[StartState, Appearance]:
        """Draw the object if there are several, where an episode starts, and what its world looks and feels like."""
        chosen = int(rng.integers(len(self._models))) if len(self._models) > 1 else 0
        state = self._starts[chosen].sample(start, rng)
        appearance = draw(self._ranges, rng, len(self.stage.distractors), self._scene.pattern)
        self.stage.chosen = chosen  # last: a draw that fails leaves the world as it was
        return state, appearance

    def dress(self, state: StartState, appearance: Appearance) -> dict[int, Surface]:
        """Place and paint all but the robot's joints; returns the surfaces of the movable bodies, for `view.dress`."""
        surfaces = self.stage.dress(appearance, state)
        for link in self._painted:
            grey = appearance.gripper if link in self._gripper_links else appearance.robot
            self.bullet.set_colour(self.robot, link, grey)
        return surfaces

    def pose_robot(self, joints: Sequence[float], opening: float) -> None:
        """Put the six joints [rad] and the fingers' opening [m] where they are to be seen, without physics."""
        self.bullet.set_joints(self.robot, self._joints, [*joints, opening / 2, opening / 2])

    def close(self) -> None:
        """End the physics world."""
        self.bullet.close()
