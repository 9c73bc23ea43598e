"""UR5Grasp: grasp the object and hold it at a goal in the air."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kprl.control.limits import WORKSPACE
from kprl.tasks.reward import goal_distance

Array = npt.NDArray[np.float64]


class Grasp:
    """Scene env1: one object on a plain table."""

    name = "grasp"
    scenes = ("env1",)
    success_distance = 0.04  # [m] between object and goal
    object_margin = (0.045, 0.035)  # [m] the object keeps from the workspace's walls along x and y
    object_yaw = 0.3  # [rad] either way: the gripper cannot turn
    goal_height = (0.10, 0.18)  # [m]
    goal_margin = 0.05  # [m]

    def __init__(self, scene: str) -> None:
        self.scene = scene

    def sample_object(self, rng: np.random.Generator) -> tuple[Array, float]:
        """Position on the table (2,) [m] and yaw [rad] of the object."""
        margin = np.array(self.object_margin)
        low, high = np.array(WORKSPACE.lower[:2]) + margin, np.array(WORKSPACE.upper[:2]) - margin
        return rng.uniform(low, high), float(rng.uniform(-self.object_yaw, self.object_yaw))

    def sample_goal(self, rng: np.random.Generator) -> Array:
        """Goal position (3,) [m] of the object, in the air."""
        low, high = np.array(WORKSPACE.lower[:2]) + self.goal_margin, np.array(WORKSPACE.upper[:2]) - self.goal_margin
        return np.array([*rng.uniform(low, high), rng.uniform(*self.goal_height)])

    def is_success(
        self, achieved: npt.NDArray[np.floating], desired: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.bool_]:
        """Whether the object (..., 3) is at the goal (..., 3)."""
        return np.asarray(goal_distance(achieved, desired) < self.success_distance)
