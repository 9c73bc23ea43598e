"""What the in-process environment and the one over ROS 2 topics have in common: reset, step and reward."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from kprl.action import Command, action_to_command
from kprl.control.limits import CONTROL_HZ
from kprl.envs.goal_observation import compute_reward
from kprl.errors import KprlError

Observation = dict[str, npt.NDArray[Any]]
Seen = tuple[Observation, dict[str, Any]]  # observation and info


class GoalEnvironment(gymnasium.Env[Any, Any], ABC):
    """A goal environment; a subclass says how an episode begins and how a command is carried out.

    Episodes never terminate; the registration's time limit truncates them.
    """

    reward_function = staticmethod(compute_reward)  # for a learner in another process
    metadata = {"render_modes": [], "render_fps": int(CONTROL_HZ)}
    _start: str = "ordinary"  # where episodes begin unless reset's options say otherwise
    _opening: float | None = None  # [m] of the gripper as last observed; None before the first reset

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Seen:
        """Begin an episode; options={"start": ...} overrides where it starts."""
        super().reset(seed=seed)
        # Without a seed the next world comes from the generator that the last seed started.
        world_seed = seed if seed is not None else int(self.np_random.integers(2**31))
        return self._begin(world_seed, (options or {}).get("start", self._start))

    def step(self, action: npt.NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Apply an action (4,) for one control period of 50 ms."""
        if self._opening is None:
            raise KprlError("the environment was stepped before its first reset: call reset() first")
        observation, info = self._advance(action_to_command(action, self._opening))
        reward = self.compute_reward(observation["achieved_goal"], observation["desired_goal"], info)
        return observation, float(reward), False, False, info

    def compute_reward(
        self,
        achieved_goal: npt.NDArray[np.floating],
        desired_goal: npt.NDArray[np.floating],
        info: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    ) -> npt.NDArray[np.floating]:
        """See `kprl.envs.goal_observation.compute_reward`."""
        return compute_reward(achieved_goal, desired_goal, info)

    @abstractmethod
    def _begin(self, seed: int, start: str) -> Seen:
        """Begin the episode of a seed; sets `_opening`."""

    @abstractmethod
    def _advance(self, command: Command) -> Seen:
        """Carry out a command for one control period; sets `_opening`."""
