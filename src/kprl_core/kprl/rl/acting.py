"""Acting in several worlds at once: exploration, one batched inference, one recorder a world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium.vector import VectorEnv

from kprl.rl.config import TrainPolicyConfig
from kprl.rl.episode import Episode, EpisodeRecorder
from kprl.rl.policy import Policy

NextReset = Callable[[int], tuple[int, dict[str, Any]]]
"""Index of a world -> seed and reset options of its next episode."""
WorldsFactory = Callable[[int, NextReset], VectorEnv[Any, Any, Any]]
"""Makes so many worlds that begin every episode as the function says, see `kprl.envs.vector`."""
INFO = ("is_success", "privileged", "regulation")
"""What is read of a world's info, where the environment gives it."""


class Finished(NamedTuple):
    """An episode that came to its end."""

    episode: Episode
    total: float  # sum of the rewards, not discounted
    success: bool  # is_success of the last step
    curriculum: bool  # whether it began at a curriculum start


class Stepped(NamedTuple):
    """What one step of all worlds brought."""

    steps: int  # worlds that made a step: all but those that were lost in it
    finished: list[Finished]  # in the order of the worlds
    dropped: int  # episodes lost with a worker


def episode_start(config: TrainPolicyConfig, rng: np.random.Generator) -> tuple[int, bool]:
    """Seed of a training episode, and whether it begins at a curriculum start."""
    curriculum = bool(rng.random() < config.curriculum)
    # Always an explicit seed: an evaluation on the same environment must not repeat its starts here.
    return int(rng.integers(2**31)), curriculum


def start_options(curriculum: bool) -> dict[str, Any]:
    """Reset options of an episode from a curriculum start or an ordinary one."""
    return {"start": "curriculum" if curriculum else "ordinary"}


def sample_actions(policy: Policy, observations: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """`Policy.act`, not greedy, for a batch: `observation` (N, n) and `desired_goal` (N, g) -> (N, A) float32."""
    mean, log_std = _outputs(policy, observations)
    return np.tanh(mean + np.exp(log_std) * rng.standard_normal(mean.shape, dtype=np.float32))


def greedy_actions(policy: Policy, observations: Mapping[str, np.ndarray]) -> np.ndarray:
    """`Policy.act`, greedy, for a batch: (N, A) float32."""
    return np.tanh(_outputs(policy, observations)[0])


def _outputs(policy: Policy, observations: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and log deviation of the policy's Gaussians, (N, A) each."""
    x = np.concatenate([observations["observation"], observations["desired_goal"]], axis=1).astype(np.float32)
    with torch.inference_mode():
        mean, log_std = policy.actor(torch.from_numpy(x))
    return mean.numpy(), log_std.numpy()


class Worlds:
    """The worlds of a training, each in the middle of an episode."""

    def __init__(self, factory: WorldsFactory, config: TrainPolicyConfig, rng: np.random.Generator) -> None:
        """Make `config.workers` worlds and begin an episode in each; `rng` decides starts and exploration."""
        self._config, self._rng = config, rng
        self._curriculum = [False] * config.workers
        self._env = factory(config.workers, self._next_reset)
        self._observations, infos = self._env.reset()
        self._recorders = [self._recorder(world, infos) for world in range(config.workers)]
        self._totals = [0.0] * config.workers

    def step(self, policy: Policy, random: bool) -> Stepped:
        """One step in each world, by the policy with exploration or, with `random`, uniform."""
        actions = self._actions(policy, random)
        curriculum = list(self._curriculum)  # a step also begins the next episodes, see _next_reset
        self._observations, rewards, terminated, truncated, infos = self._env.step(actions)
        finished = []
        for world, dropped in enumerate(infos["dropped"]):
            ended = terminated[world] or truncated[world]
            if not dropped:
                seen = infos["final_obs"][world] if ended else world_row(self._observations, world)
                info = world_row(infos["final_info"] if ended else infos, world, INFO)
                self._recorders[world].step(actions[world], seen, terminated[world], info)
                self._totals[world] += float(rewards[world])
            if ended:
                episode, success = self._recorders[world].episode(), bool(info["is_success"])
                finished.append(Finished(episode, self._totals[world], success, curriculum[world]))
            if ended or dropped:
                self._recorders[world], self._totals[world] = self._recorder(world, infos), 0.0
        lost = int(np.sum(infos["dropped"]))
        return Stepped(len(actions) - lost, finished, lost)

    def close(self) -> None:
        """End all worlds."""
        self._env.close()

    def _next_reset(self, world: int) -> tuple[int, dict[str, Any]]:
        seed, self._curriculum[world] = episode_start(self._config, self._rng)
        return seed, start_options(self._curriculum[world])

    def _recorder(self, world: int, infos: Mapping[str, Any]) -> EpisodeRecorder:
        return EpisodeRecorder(world_row(self._observations, world), world_row(infos, world, INFO))

    def _actions(self, policy: Policy, random: bool) -> np.ndarray:
        """Actions (N, A) float32."""
        shape = self._env.action_space.shape
        assert shape is not None
        uniform = self._rng.uniform(-1, 1, shape).astype(np.float32)
        if random:
            return uniform
        explore = self._rng.random(shape[0]) < self._config.random_exploration
        return np.where(explore[:, None], uniform, sample_actions(policy, self._observations, self._rng))


def world_row(batch: Mapping[str, Any], world: int, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """One world's entries of batched observations or infos, of those `names` that are there."""
    return {name: batch[name][world] for name in names or batch if name in batch}
