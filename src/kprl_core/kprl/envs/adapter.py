"""Other people's Gymnasium environments as the goal environment that the training loop expects.

A goal environment keeps its observation, goals and reward. An ordinary one gets goals of no width, and its whole
reward counts as the part that does not depend on a goal.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Dict

from kprl.errors import KprlError

PACKAGES = {"panda_gym": "panda-gym", "gymnasium_robotics": "gymnasium-robotics"}
"""Packages that register environments when they are imported, and how they are installed."""
GOAL_PARTS = ("observation", "achieved_goal", "desired_goal")
Info = dict[str, Any]
Observation = dict[str, npt.NDArray[np.float32]]


def make_adapted(env_id: str, render_mode: str | None = None) -> AdaptedEnv:
    """Make the environment `env_id` and adapt it; `package:Name-v0` imports a package first, as Gymnasium does.

    Errors: `KprlError` if it does not exist or does not fit: it needs a bounded vector Box as action, and either a
    goal environment's observation of vectors or a Box.
    """
    env = _make(env_id, render_mode)
    if env.spec is None or env.spec.max_episode_steps is None:
        env.close()
        raise KprlError(f"{env_id} has no time limit: register it with max_episode_steps")
    action = env.action_space
    if not isinstance(action, Box) or len(action.shape) != 1 or not np.isfinite([action.low, action.high]).all():
        env.close()
        raise KprlError(f"{env_id} has the action space {action}: expected a vector Box with finite bounds")
    return AdaptedEnv(env)


def _make(env_id: str, render_mode: str | None) -> gymnasium.Env[Any, Any]:
    for package in PACKAGES:
        try:
            importlib.import_module(package)
        except ImportError:
            continue
    try:
        # Left out where it is not asked for: some environments have no None, but a default of their own.
        drawn: dict[str, Any] = {"render_mode": render_mode} if render_mode else {}
        return gymnasium.make(env_id, **drawn)
    except (gymnasium.error.Error, ImportError) as error:
        packages = ", ".join(PACKAGES.values())
        reason = " ".join(str(error).split())
        raise KprlError(
            f"cannot make {env_id} ({reason}): install the package it comes from ({packages} are found by themselves;"
            " name others as package:Name-v0)"
        ) from None


class AdaptedEnv(gymnasium.Env[Any, Any]):
    """An environment with actions in [-1, 1], goal observations in float32, and what the loop reads of an info."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        """`env`: as `gymnasium.make` gives it, with its time limit."""
        self._env, space = env, env.observation_space
        self.has_goals = isinstance(space, Dict) and set(GOAL_PARTS) <= set(space.spaces)
        self.render_mode, self.metadata, self.spec = env.render_mode, env.metadata, env.spec
        low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
        self._centre, self._half = (high + low) / 2, (high - low) / 2
        self._action_type = env.action_space.dtype
        self.action_space = Box(-1.0, 1.0, low.shape, np.float32)
        self.observation_space = Dict({name: _vector(width) for name, width in self._widths().items()})

    def _widths(self) -> dict[str, int]:
        space = self._env.observation_space
        if isinstance(space, Dict) and self.has_goals:
            widths = {}
            for name in GOAL_PARTS:
                part = space[name]
                if not isinstance(part, Box):
                    raise KprlError(f"{self._name()} has '{name}' {part}: expected a Box")
                widths[name] = int(np.prod(part.shape))
            return widths
        if not isinstance(space, Box):
            raise KprlError(f"{self._name()} has the observation space {space}: expected a goal environment's or a Box")
        return {"observation": int(np.prod(space.shape)), "achieved_goal": 0, "desired_goal": 0}

    def _name(self) -> str:
        return self.spec.id if self.spec else type(self._env.unwrapped).__name__

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Observation, Info]:
        """Begin an episode. The loop's options are kprl's own and go no further."""
        observation, info = self._env.reset(seed=seed)
        return self._seen(observation), self._info(info, 0.0)

    def step(self, action: npt.NDArray[np.float32]) -> tuple[Observation, float, bool, bool, Info]:
        """Apply an action in [-1, 1]."""
        own = (self._centre + self._half * action).astype(self._action_type)
        observation, reward, terminated, truncated, info = self._env.step(own)
        return self._seen(observation), float(reward), bool(terminated), bool(truncated), self._info(info, reward)

    def render(self) -> Any:
        """The environment's own picture."""
        return self._env.render()

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _seen(self, observation: Any) -> Observation:
        if self.has_goals:
            return {name: np.asarray(observation[name], np.float32).reshape(-1) for name in GOAL_PARTS}
        nothing = np.zeros(0, np.float32)
        vector = np.asarray(observation, np.float32).reshape(-1)
        return {"observation": vector, "achieved_goal": nothing, "desired_goal": nothing}

    def _info(self, info: Mapping[str, Any], reward: Any) -> Info:
        success = bool(info.get("is_success", info.get("success", False)))
        return {"is_success": success, "regulation": 0.0 if self.has_goals else float(reward)}


def _vector(width: int) -> Box:
    return Box(-np.inf, np.inf, (width,), np.float32)


class AdaptedReward:
    """The reward of an adapted environment, over a batch; makes the environment where it is called, so it travels."""

    def __init__(self, env_id: str) -> None:
        self._env_id = env_id
        self._env: gymnasium.Env[Any, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_env_id": self._env_id, "_env": None}

    def __call__(
        self, achieved: npt.NDArray[Any], desired: npt.NDArray[Any], info: Mapping[str, npt.NDArray[Any]]
    ) -> npt.NDArray[np.float32]:
        """achieved, desired (B, g), info["regulation"] (B,) -> (B,)."""
        term = info["regulation"]
        if achieved.shape[-1] == 0:
            return np.asarray(term, np.float32)
        if self._env is None:
            self._env = _make(self._env_id, None)
        reward = np.asarray(self._env.unwrapped.compute_reward(achieved, desired, {}), np.float32)  # type: ignore[attr-defined]
        if reward.shape != term.shape:
            raise KprlError(
                f"compute_reward of {self._env_id} gives the shape {reward.shape} for {len(term)} goals: hindsight"
                f" needs one that takes a batch and gives {term.shape}"
            )
        return reward
