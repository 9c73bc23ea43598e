"""What a task is: where things lie, what the goal is, when it is reached, and where episodes may start."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from kprl.control.limits import WORKSPACE
from kprl.sim.objects import ObjectModel
from kprl.tasks.reward import goal_distance

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Placed:
    """The object on the table and the goal: position (3,) [m], yaw [rad], goal (3,) [m]."""

    position: Array
    yaw: float
    goal: Array
    model: ObjectModel


@dataclass(frozen=True)
class ToolStart:
    """Where the gripper begins: tool centre point (3,) [m] and opening [m]; `moved` is where it has the object."""

    tcp: Array
    opening: float
    moved: tuple[Array, float] | None = None  # position (3,) [m] and yaw [rad] of the object, if not as placed
    held: bool = False  # the closed gripper holds the object


class Task(ABC):
    """A task knows positions and numbers, no simulator. Lengths [m] in base_link."""

    name: ClassVar[str]
    scenes: ClassVar[tuple[str, ...]]
    success_distance: ClassVar[float]  # [m] between object and goal
    object_margin: ClassVar[tuple[float, float]]  # [m] the object keeps from the workspace's walls along x and y
    object_yaw: ClassVar[float]  # [rad] either way

    def __init__(self, scene: str) -> None:
        self.scene = scene

    def sample_object(self, rng: np.random.Generator) -> tuple[Array, float]:
        """Position on the table (2,) [m] and yaw [rad] of the object."""
        return sample_xy(self.object_margin, rng), float(rng.uniform(-self.object_yaw, self.object_yaw))

    def is_success(
        self, achieved: npt.NDArray[np.floating], desired: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.bool_]:
        """Whether the object (..., 3) is at the goal (..., 3)."""
        return np.asarray(goal_distance(achieved, desired) < self.success_distance)

    @abstractmethod
    def sample_goal(self, position: Array, rng: np.random.Generator) -> Array:
        """Goal position (3,) [m] of the object that lies at `position` (3,)."""

    @abstractmethod
    def is_fair(self, position: Array, goal: Array) -> bool:
        """Whether an episode with this object and goal (3,) is worth playing; others are drawn anew."""

    @abstractmethod
    def ordinary(self, placed: Placed, rng: np.random.Generator) -> ToolStart:
        """Where episodes start that count."""

    @abstractmethod
    def curriculum(self, placed: Placed, rng: np.random.Generator) -> ToolStart:
        """A start from which random motion reaches what is worth learning; for training only."""

    @abstractmethod
    def scatter(self, placed: Placed, rng: np.random.Generator) -> ToolStart | None:
        """Anything an episode may pass through, for keypoint data; None where the draw is not possible."""

    @abstractmethod
    def engaged(self, touched: Sequence[bool], ever: bool) -> bool:
        """Whether the object is in the robot's hands: `touched` by each finger now, `ever` by any since the start."""

    @abstractmethod
    def robot_says(self, holds: bool, distance: float) -> str:
        """How an episode ended as far as a robot knows; `success` only where it knows so.

        `holds`: the gripper holds something; `distance` [m] of the tool from the goal.
        """


def sample_xy(margin: tuple[float, float], rng: np.random.Generator) -> Array:
    """A place (2,) [m] in the workspace that keeps `margin` [m] from its walls along x and y."""
    low, high = np.array(WORKSPACE.lower[:2]) + margin, np.array(WORKSPACE.upper[:2]) - margin
    return rng.uniform(low, high)


def inside(tcp: Array) -> Array:
    """The nearest place (3,) [m] in the workspace."""
    return np.clip(tcp, WORKSPACE.lower, WORKSPACE.upper)
