"""Where an episode starts: the ordinary start states, the training curriculum, and states for keypoint data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl.action import GRIPPER_STROKE
from kprl.control.limits import WORKSPACE
from kprl.errors import KprlError
from kprl.tasks.grasp import Grasp

Array = npt.NDArray[np.float64]

START_KINDS = ("ordinary", "curriculum", "scatter")
MAX_TRIES = 200
OBJECT_CLEARANCE = 0.075  # [m] a tool that is placed anywhere keeps from the object, unless it is around it
START_HEIGHT = (0.12, 0.18)  # [m] of the tool at an ordinary start
START_SPREAD = 0.06  # [m] about the workspace's centre, x and y


@dataclass(frozen=True)
class StartState:
    """Tool centre point (3,) [m], opening [m], object position (3,) [m] and yaw [rad], goal (3,) [m]."""

    tcp: Array
    opening: float
    object_position: Array
    object_yaw: float
    goal: Array
    held: bool = False  # the closed gripper holds the object


class StartStates:
    """Samples start states of a task for an object that rests at `rest_height` and is held at `grip_width` [m]."""

    def __init__(self, task: Grasp, rest_height: float, grip_width: float) -> None:
        self._task, self._rest_height, self._grip_width = task, rest_height, grip_width

    def sample(self, kind: str, rng: np.random.Generator) -> StartState:
        """Draw a start state of a kind in START_KINDS."""
        place, yaw = self._task.sample_object(rng)
        position = np.array([*place, self._rest_height])
        goal = self._task.sample_goal(rng)
        if kind == "ordinary":
            return StartState(self._ordinary_tool(position, rng), GRIPPER_STROKE, position, yaw, goal)
        if kind == "curriculum":
            return self._curriculum(position, yaw, goal, rng)
        if kind == "scatter":
            return self._scatter(position, yaw, goal, rng)
        raise KprlError(f"unknown start '{kind}': choose one of {', '.join(START_KINDS)}")

    def _ordinary_tool(self, position: Array, rng: np.random.Generator) -> Array:
        centre = WORKSPACE.centre[:2]
        xy = rng.uniform(centre - START_SPREAD, centre + START_SPREAD)
        return np.array([*xy, rng.uniform(*START_HEIGHT)])

    def _curriculum(self, position: Array, yaw: float, goal: Array, rng: np.random.Generator) -> StartState:
        """Backwards along a grasp: the object held, the gripper around it, or on the way there from an ordinary start.

        Random motion almost never closes around an object; from these starts the critic learns what holding it is
        worth, then closing, then approaching.
        """
        case = rng.random()
        if case < 0.35:
            return self._held(position, yaw, goal, rng)
        around = position + np.array([*rng.uniform(-0.006, 0.006, 2), rng.uniform(-0.002, 0.006)])
        around = self._inside(around)
        if case < 0.7:
            opening = rng.uniform(0.8 * GRIPPER_STROKE, GRIPPER_STROKE)
            return StartState(around, float(opening), position, yaw, goal)
        start, above = self._ordinary_tool(position, rng), around + np.array([0.0, 0.0, 0.06])
        way = rng.random()
        tcp = above + (start - above) * way if rng.random() < 0.5 else around + (above - around) * way
        return StartState(tcp, GRIPPER_STROKE, position, yaw, goal)

    def _held(self, position: Array, yaw: float, goal: Array, rng: np.random.Generator) -> StartState:
        """The object in the closed gripper, on the table where it lay or anywhere in the workspace."""
        tcp = self._inside(position) if rng.random() < 0.5 else rng.uniform(WORKSPACE.lower, WORKSPACE.upper)
        slip = np.array([*rng.normal(0.0, 0.004, 2), rng.normal(0.0, 0.006)])
        held = tcp + np.clip(slip, -0.01, 0.01)
        held[2] = max(held[2], self._rest_height)
        return StartState(tcp, self._grip_width, held, 0.2 * yaw, goal, held=True)

    def _scatter(self, position: Array, yaw: float, goal: Array, rng: np.random.Generator) -> StartState:
        """Anything an episode may pass through: the gripper anywhere, around the object, or holding it aloft."""
        case = rng.random()
        if case < 0.3:  # around or above the object
            offset = np.array([*rng.normal(0.0, 0.008, 2), abs(rng.normal(0.0, 0.04))])
            tcp = position + np.clip(offset, [-0.012, -0.012, 0.0], [0.012, 0.012, 0.15])
            return StartState(self._inside(tcp), GRIPPER_STROKE, position, yaw, goal)
        if case < 0.55:
            return self._held(position, yaw, goal, rng)
        for _ in range(MAX_TRIES):
            tcp = rng.uniform(WORKSPACE.lower, WORKSPACE.upper)
            if np.linalg.norm(tcp[:2] - position[:2]) > OBJECT_CLEARANCE or tcp[2] > 0.08:
                return StartState(tcp, float(rng.uniform(0.0, GRIPPER_STROKE)), position, yaw, goal)
        raise KprlError(f"no free place for the gripper found in {MAX_TRIES} tries: the workspace is too small")

    @staticmethod
    def _inside(tcp: Array) -> Array:
        return np.clip(tcp, WORKSPACE.lower, WORKSPACE.upper)
