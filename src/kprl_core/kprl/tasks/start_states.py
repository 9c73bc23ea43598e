"""Where an episode starts: draws object, goal, gripper and clutter until they fit, and fails loudly if they never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kprl.errors import KprlError, require_choice
from kprl.sim.objects import ObjectModel
from kprl.tasks.task import Array, Placed, Task, ToolStart

START_KINDS = ("ordinary", "curriculum", "scatter")
MAX_TRIES = 200  # of a whole arrangement, and of a place for one distractor
CLUTTER_LOWER, CLUTTER_UPPER = (0.34, -0.22), (0.68, 0.22)  # [m] where distractors lie, x and y: what the camera sees
CLUTTER_GAP = 0.045  # [m] between distractor and object: the fingers fit in
TOOL_REACH = 0.075  # [m] that a gripper near the table reaches about its centre
TOOL_HIGH = 0.13  # [m] over which it is clear of every distractor


@dataclass(frozen=True)
class Lying:
    """A distractor on the table: which one, place (2,) [m] and yaw [rad]."""

    index: int
    place: Array
    yaw: float


@dataclass(frozen=True)
class StartState:
    """Tool centre point (3,) [m], opening [m], object position (3,) [m] and yaw [rad], goal (3,) [m]."""

    tcp: Array
    opening: float
    object_position: Array
    object_yaw: float
    goal: Array
    held: bool = False  # the closed gripper holds the object
    distractors: tuple[Lying, ...] = ()


class StartSampler:
    """Samples start states of a task with one object; of `clutter`, at least and at most `count` lie about."""

    def __init__(
        self,
        task: Task,
        model: ObjectModel,
        clutter: Sequence[ObjectModel] = (),
        count: tuple[float, float] = (0, 0),
    ) -> None:
        self._task, self._model = task, model
        self._clutter, self._count = clutter, count

    def sample(self, kind: str, rng: np.random.Generator) -> StartState:
        """Draw a start state of a kind in START_KINDS; KprlError after MAX_TRIES arrangements that do not fit."""
        draw = getattr(self._task, require_choice("start", kind, START_KINDS))
        for _ in range(MAX_TRIES):
            place, yaw = self._task.sample_object(rng)
            position = np.array([*place, self._model.rest_height])
            goal = self._task.sample_goal(position, rng)
            if not self._task.is_fair(position, goal):
                continue
            tool: ToolStart | None = draw(Placed(position, yaw, goal, self._model), rng)
            if tool is None:
                continue
            at, turned = tool.moved or (position, yaw)
            lying = self._scatter_clutter(at, tool.tcp, rng)
            if lying is not None:
                return StartState(tool.tcp, tool.opening, at, turned, goal, tool.held, lying)
        raise KprlError(
            f"no {kind} start of task {self._task.name} found in {MAX_TRIES} tries: the workspace is too small for the "
            "object, the distractors or the distances that config/world and the task ask for"
        )

    def _scatter_clutter(self, position: Array, tcp: Array, rng: np.random.Generator) -> tuple[Lying, ...] | None:
        """Distractors clear of the object, of a low gripper and of one another; None where they do not fit."""
        count = int(rng.integers(int(self._count[0]), int(self._count[1]) + 1))
        lying: list[Lying] = []
        for index in rng.permutation(len(self._clutter))[:count].tolist():
            radius = self._clutter[index].radius
            for _ in range(MAX_TRIES):
                place = rng.uniform(CLUTTER_LOWER, CLUTTER_UPPER)
                clear = np.linalg.norm(place - position[:2]) > self._model.radius + radius + CLUTTER_GAP
                clear &= tcp[2] > TOOL_HIGH or np.linalg.norm(place - tcp[:2]) > TOOL_REACH + radius
                if clear and all(
                    np.linalg.norm(place - other.place) > radius + self._clutter[other.index].radius for other in lying
                ):
                    lying.append(Lying(index, place, float(rng.uniform(-np.pi, np.pi))))
                    break
            else:
                return None
        return tuple(lying)
