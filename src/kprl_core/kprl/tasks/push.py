"""UR5Push: push the object over the table to a goal on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kprl.action import GRIPPER_STROKE
from kprl.control.limits import WORKSPACE
from kprl.tasks.reward import goal_distance
from kprl.tasks.task import Array, Placed, Task, ToolStart, inside, sample_xy

GOAL_MARGIN = (0.045, 0.045)  # [m] from the workspace's walls
PUSH_DISTANCE = (0.08, 0.2)  # [m] between object and goal
START_HEIGHT = (0.09, 0.14)  # [m] of the tool at an ordinary start: over every object
START_SPREAD = 0.06  # [m] about the workspace's centre, x and y
PUSH_HEIGHT = (0.022, 0.032)  # [m] of the tool that pushes: the fingertips reach 19 mm below it
LOST = 0.35  # share of the curriculum in which the push has gone wrong
OVER = 0.024  # [m] of the tool over the object's top: the fingertips are then 5 mm over it
FINGERS = 0.035  # [m] radius of the closed fingers' circle


class Push(Task):
    """The object keeps away from the walls, so that the fingers fit behind it; it may lie at any angle."""

    name = "push"
    scenes = ("env1",)
    success_distance = 0.04
    object_margin = (0.06, 0.06)
    object_yaw = float(np.pi)

    def sample_goal(self, position: Array, rng: np.random.Generator) -> Array:
        """Anywhere on the table."""
        return np.array([*sample_xy(GOAL_MARGIN, rng), position[2]])

    def is_fair(self, position: Array, goal: Array) -> bool:
        """Neither solved at the start nor too far for one episode."""
        return bool(PUSH_DISTANCE[0] <= goal_distance(position, goal) <= PUSH_DISTANCE[1])

    def engaged(self, touched: Sequence[bool], ever: bool) -> bool:
        """The object has been touched."""
        return ever

    def robot_says(self, holds: bool, distance: float) -> str:
        """No sensor of the robot tells where the pushed object is: that takes a look at it."""
        return "not_known"

    def ordinary(self, placed: Placed, rng: np.random.Generator) -> ToolStart:
        """Closed, over the middle of the workspace."""
        centre = WORKSPACE.centre[:2]
        xy = rng.uniform(centre - START_SPREAD, centre + START_SPREAD)
        return ToolStart(np.array([*xy, rng.uniform(*START_HEIGHT)]), 0.0)

    def curriculum(self, placed: Placed, rng: np.random.Generator) -> ToolStart:
        """Backwards along a push: behind the object, which has come any part of its way, or on the way there.

        A third begins where pushes end that went wrong: close by on any side of the object, at any height.
        """
        if rng.random() < LOST:
            return self._astray(placed, rng)
        way = placed.goal - placed.position
        position = placed.position + way * rng.uniform(0.0, 0.8)
        behind = position[:2] - way[:2] / np.linalg.norm(way) * (placed.model.radius + FINGERS + rng.uniform(0.0, 0.02))
        tcp = inside(np.array([*behind, rng.uniform(*PUSH_HEIGHT)]))
        if np.linalg.norm(tcp[:2] - position[:2]) < placed.model.radius + FINGERS - 1e-6:
            return self.ordinary(placed, rng)  # a wall leaves no room behind the object
        if rng.random() < 0.3:
            tcp[2] += rng.uniform(0.0, START_HEIGHT[0])
        return ToolStart(tcp, 0.0, moved=(position, placed.yaw))

    def _astray(self, placed: Placed, rng: np.random.Generator) -> ToolStart:
        """The tool stands low on any side of the object, or has slid off it or onto it."""
        position = placed.position + (placed.goal - placed.position) * rng.uniform(0.0, 0.8)
        reach = placed.model.radius + FINGERS
        if rng.random() < 0.5:
            distance, height = reach + rng.uniform(0.0, 0.04), rng.uniform(*PUSH_HEIGHT)
        else:
            distance, height = rng.uniform(0.0, 0.09), rng.uniform(PUSH_HEIGHT[0], START_HEIGHT[1])
        angle = rng.uniform(0.0, 2 * np.pi)
        place = position[:2] + distance * np.array([np.cos(angle), np.sin(angle)])
        tcp = inside(np.array([*place, height]))
        if np.linalg.norm(tcp[:2] - position[:2]) < reach:
            tcp[2] = max(tcp[2], 2 * placed.model.rest_height + OVER)
        return ToolStart(tcp, 0.0, moved=(position, placed.yaw))

    def scatter(self, placed: Placed, rng: np.random.Generator) -> ToolStart | None:
        """The gripper beside the object at pushing height, or anywhere, mostly closed."""
        closed = rng.random() < 0.8
        opening = 0.0 if closed else float(rng.uniform(0.0, GRIPPER_STROKE))
        reach = placed.model.radius + FINGERS + opening / 2
        if rng.random() < 0.5:
            angle, distance = rng.uniform(0.0, 2 * np.pi), reach + abs(rng.normal(0.0, 0.02))
            place = placed.position[:2] + distance * np.array([np.cos(angle), np.sin(angle)])
            tcp = inside(np.array([*place, rng.uniform(*PUSH_HEIGHT)]))
        else:
            tcp = rng.uniform(WORKSPACE.lower, WORKSPACE.upper)
        free = np.linalg.norm(tcp[:2] - placed.position[:2]) >= reach - 1e-6 or tcp[2] > START_HEIGHT[0]
        return ToolStart(tcp, opening) if free else None
