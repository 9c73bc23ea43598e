"""Small goal environments with the observations and info of kprl's own, to test learning on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict

from kprl.rl.goal_env import GoalEnv

STEP = 0.2
REACHED = 0.1
STEPS = 20
REGULATION = 0.01


def point_reward(achieved: np.ndarray, desired: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """Eq. 10: minus the clamped distance, plus the regulation of the step."""
    distance = np.linalg.norm(achieved - desired, axis=-1)
    return -np.clip(distance, 0.0, 1.0) + np.asarray(info["regulation"])


def nan_reward(achieved: np.ndarray, desired: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
    """What a broken environment might return."""
    return point_reward(achieved, desired, info) * np.nan


class PointEnv(gymnasium.Env[dict[str, np.ndarray], np.ndarray]):
    """A point in a square of [-1, 1]^2 moves to a goal; the actor sees it with noise, the critic without."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, noise: float = 0.02, render_mode: str | None = None) -> None:
        plane = Box(-1, 1, (2,), np.float32)
        wide = Box(-2, 2, (2,), np.float32)
        self.observation_space = Dict({"observation": wide, "achieved_goal": plane, "desired_goal": plane})
        self.action_space = Box(-1, 1, (2,), np.float32)
        self.noise, self.render_mode = noise, render_mode
        self.starts: list[str] = []
        self.actions: list[np.ndarray] = []
        self.compute_reward = point_reward
        self.reward_function = point_reward

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        self.starts.append((options or {}).get("start", "ordinary"))
        self.goal = self.np_random.uniform(-1, 1, 2)
        near = 0.2 if self.starts[-1] == "curriculum" else 2.0
        self.point = np.clip(self.goal + self.np_random.uniform(-near, near, 2), -1, 1)
        return self._observation(), self._info()

    def step(self, action: np.ndarray) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        self.actions.append(action.copy())
        self.point = np.clip(self.point + STEP * action, -1, 1)
        info = self._info()
        return self._observation(), float(point_reward(self.point, self.goal, info)), False, False, info

    def render(self) -> np.ndarray:
        """Black, with a white pixel at the point."""
        frame = np.zeros((16, 16, 3), np.uint8)
        row, column = np.round((self.point + 1) / 2 * 15).astype(int)
        frame[row, column] = 255
        return frame

    def _observation(self) -> dict[str, np.ndarray]:
        seen = self.point + self.noise * self.np_random.standard_normal(2)
        return {
            "observation": seen.astype(np.float32),
            "achieved_goal": self.point.astype(np.float32),
            "desired_goal": self.goal.astype(np.float32),
        }

    def _info(self) -> dict[str, Any]:
        return {
            "is_success": bool(np.linalg.norm(self.point - self.goal) < REACHED),
            "privileged": self.point.astype(np.float32),
            "regulation": REGULATION,
        }


def make_point_env(render_mode: str | None = None) -> GoalEnv:
    """The environment with its time limit, as gymnasium.make gives it."""
    return gymnasium.wrappers.TimeLimit(PointEnv(render_mode=render_mode), STEPS)
