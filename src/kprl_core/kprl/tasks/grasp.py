"""UR5Grasp: grasp the object and hold it at a goal in the air."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kprl.action import GRIPPER_STROKE
from kprl.control.limits import WORKSPACE
from kprl.tasks.task import Array, Placed, Task, ToolStart, inside, sample_xy

GOAL_HEIGHT = (0.10, 0.18)  # [m]
GOAL_MARGIN = (0.05, 0.05)  # [m] from the workspace's walls
START_HEIGHT = (0.12, 0.18)  # [m] of the tool at an ordinary start
START_SPREAD = 0.06  # [m] about the workspace's centre, x and y
MISSED = 0.2  # share of the curriculum in which the gripper has missed the object
FINGER_DEPTH = 0.012  # [m] half a finger across x
OVER = 0.03  # [m] of the tool over the object's top, at which open fingers are clear of it
OBJECT_CLEARANCE = 0.075  # [m] a tool that is placed anywhere keeps from the object, unless it is around or above it


class Grasp(Task):
    """The gripper cannot turn, so the object lies nearly straight."""

    name = "grasp"
    scenes = ("env1", "env2")
    success_distance = 0.04
    object_margin = (0.045, 0.035)
    object_yaw = 0.3

    def sample_goal(self, position: Array, rng: np.random.Generator) -> Array:
        """Anywhere in the air."""
        return np.array([*sample_xy(GOAL_MARGIN, rng), rng.uniform(*GOAL_HEIGHT)])

    def is_fair(self, position: Array, goal: Array) -> bool:
        """Always: the goal is in the air, the object on the table."""
        return True

    def engaged(self, touched: Sequence[bool], ever: bool) -> bool:
        """The object is between the fingers."""
        return all(touched)

    def robot_says(self, holds: bool, distance: float) -> str:
        """The gripper feels what it holds, and that is where the tool is."""
        if not holds:
            return "nothing_held"
        return "success" if distance < self.success_distance else "not_at_goal"

    def ordinary(self, placed: Placed, rng: np.random.Generator) -> ToolStart:
        """Open, high over the middle of the workspace."""
        centre = WORKSPACE.centre[:2]
        xy = rng.uniform(centre - START_SPREAD, centre + START_SPREAD)
        return ToolStart(np.array([*xy, rng.uniform(*START_HEIGHT)]), GRIPPER_STROKE)

    def curriculum(self, placed: Placed, rng: np.random.Generator) -> ToolStart:
        """Backwards along a grasp: the object held, the gripper around it, or on the way there from an ordinary start.

        Random motion almost never closes around an object; from these starts the critic learns what holding it is
        worth, then closing, then approaching. A fifth begins where grasps end that missed: low, beside the object.
        """
        if rng.random() < MISSED:
            return _beside(placed, rng)
        case = rng.random()
        if case < 0.35:
            return _held(placed, rng)
        around = inside(placed.position + np.array([*rng.uniform(-0.006, 0.006, 2), rng.uniform(-0.002, 0.006)]))
        if case < 0.7:
            return ToolStart(around, float(rng.uniform(0.8 * GRIPPER_STROKE, GRIPPER_STROKE)))
        start, above = self.ordinary(placed, rng).tcp, around + np.array([0.0, 0.0, 0.06])
        way = rng.random()
        tcp = above + (start - above) * way if rng.random() < 0.5 else around + (above - around) * way
        return ToolStart(tcp, GRIPPER_STROKE)

    def scatter(self, placed: Placed, rng: np.random.Generator) -> ToolStart | None:
        """The gripper anywhere, around the object, close by where its fingers hide the object, or holding it aloft."""
        case = rng.random()
        if case < 0.25:  # around or above the object
            offset = np.array([*rng.normal(0.0, 0.008, 2), abs(rng.normal(0.0, 0.04))])
            tcp = placed.position + np.clip(offset, [-0.012, -0.012, 0.0], [0.012, 0.012, 0.15])
            return ToolStart(inside(tcp), GRIPPER_STROKE)
        if case < 0.45:
            return _held(placed, rng)
        if case < 0.7:
            return _beside(placed, rng) if rng.random() < 0.6 else self._coming(placed, rng)
        tcp = rng.uniform(WORKSPACE.lower, WORKSPACE.upper)
        free = np.linalg.norm(tcp[:2] - placed.position[:2]) > OBJECT_CLEARANCE or tcp[2] > 0.08
        return ToolStart(tcp, float(rng.uniform(0.0, GRIPPER_STROKE))) if free else None

    def _coming(self, placed: Placed, rng: np.random.Generator) -> ToolStart:
        """The open gripper anywhere between an ordinary start and just over the object, a little astray."""
        over = placed.position + np.array([*rng.normal(0.0, 0.015, 2), placed.model.rest_height + OVER])
        start = self.ordinary(placed, rng).tcp
        return ToolStart(inside(over + (start - over) * rng.random()), GRIPPER_STROKE)


def _beside(placed: Placed, rng: np.random.Generator) -> ToolStart:
    """The open gripper low in front of the object, behind it, or over it to any side; the fingers clear of it."""
    if rng.random() < 0.6:  # along x, across which the fingers are thin
        away = placed.model.radius + FINGER_DEPTH + rng.uniform(0.0, 0.04)
        offset = np.array([rng.choice([-1.0, 1.0]) * away, rng.normal(0.0, 0.015), rng.uniform(0.0, 0.06)])
    else:
        angle, away = rng.uniform(0.0, 2 * np.pi), rng.uniform(0.02, 0.08)
        height = placed.model.rest_height + rng.uniform(OVER, 0.09)
        offset = np.array([away * np.cos(angle), away * np.sin(angle), height])
    tcp = inside(placed.position + offset)
    if abs(tcp[0] - placed.position[0]) < placed.model.radius + FINGER_DEPTH:  # a wall of the workspace was in the way
        tcp[2] = max(tcp[2], 2 * placed.model.rest_height + OVER)
    return ToolStart(tcp, GRIPPER_STROKE)


def _held(placed: Placed, rng: np.random.Generator) -> ToolStart:
    """The object in the closed gripper, on the table where it lay or anywhere in the workspace."""
    tcp = inside(placed.position) if rng.random() < 0.5 else rng.uniform(WORKSPACE.lower, WORKSPACE.upper)
    slip = np.array([*rng.normal(0.0, 0.004, 2), rng.normal(0.0, 0.006)])
    held = tcp + np.clip(slip, -0.01, 0.01)
    held[2] = max(held[2], placed.position[2])
    return ToolStart(tcp, placed.model.grip_width, moved=(held, 0.2 * placed.yaw), held=True)
