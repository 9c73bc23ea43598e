"""`kprl bench sac`: gradient updates a second, hindsight sampling included, against stable-baselines3 and sbx.

All learn from the same kind of experience, with vectors as wide as those of the grasp task, at the same batch size and
hidden layers, each on one thread where its library lets itself be told. Rounds alternate, so that a busy moment meets
all of them. Our networks and sbx's have layer normalisation; stable-baselines3 has none, so it does less.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Dict

from kprl.action import ACTION_SIZE
from kprl.envs.goal_observation import compute_reward
from kprl.errors import KprlError
from kprl.observation import END_EFFECTOR_SIZE, PRIVILEGED_SIZE
from kprl.rl.agent import Sizes
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.episode import Episode, EpisodeRecorder
from kprl.rl.learner import InlineLearner

GOAL_SIZE = 3
EPISODE_STEPS = 50
EXPERIENCE = 10_000  # transitions in each replay memory
HIDDEN = (64, 64)  # section III-C2
BATCH = 512
NUM_KEYPOINTS = 12
ROUND = 100  # updates
PEERS = ("sb3", "sbx")
CRITICS = ("observation", "privileged", "goal_relative")
SWEEPS_COMPILE = "auto"  # as a training of the preset `quick` would


class Noise(gymnasium.Env[Any, Any]):
    """A goal environment with the grasp task's spaces and reward, and noise for everything else: it costs no time."""

    def __init__(self, num_keypoints: int = NUM_KEYPOINTS) -> None:
        goal = Box(-np.inf, np.inf, (GOAL_SIZE,), np.float32)
        size = self.size = 2 * num_keypoints + END_EFFECTOR_SIZE
        self.observation_space = Dict(
            {"observation": Box(-1, 1, (size,), np.float32), "achieved_goal": goal, "desired_goal": goal}
        )
        self.action_space = Box(-1, 1, (ACTION_SIZE,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode with a goal."""
        super().reset(seed=seed)
        self.steps = 0
        self.goal = self.np_random.uniform(-0.2, 0.2, GOAL_SIZE).astype(np.float32)
        return self._seen(), self._info()

    def step(self, action: np.ndarray) -> Any:
        """Noise, and the reward of eq. 10 for it."""
        self.steps += 1
        seen, info = self._seen(), self._info()
        reward = float(self.compute_reward(seen["achieved_goal"], seen["desired_goal"], info))
        return seen, reward, False, self.steps >= EPISODE_STEPS, info

    def compute_reward(self, achieved: np.ndarray, desired: np.ndarray, info: Any) -> np.ndarray:
        """Eq. 10."""
        return np.asarray(compute_reward(achieved, desired, info))

    def _seen(self) -> dict[str, np.ndarray]:
        return {
            "observation": self.np_random.uniform(-1, 1, self.size).astype(np.float32),
            "achieved_goal": self.np_random.uniform(-0.2, 0.2, GOAL_SIZE).astype(np.float32),
            "desired_goal": self.goal,
        }

    def _info(self) -> dict[str, Any]:
        privileged = self.np_random.uniform(-1, 1, PRIVILEGED_SIZE).astype(np.float32)
        return {"is_success": False, "regulation": 0.3, "privileged": privileged}


def bench_sac(rounds: int, peers: tuple[str, ...] = PEERS) -> dict[str, Any]:
    """Measure; keys as in `kprl bench sac --json`. Errors: `KprlError` naming a peer that is not installed."""
    threads = torch.get_num_threads()
    so: dict[str, Any] = {"compile": SWEEPS_COMPILE}
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        learns = {"kprl": ours()} | {name: _peer(name) for name in peers}
        speeds = _alternate(learns, rounds)
        return {
            "updates_per_s": speeds["kprl"],
            **{f"ratio_vs_{name}": speeds["kprl"] / speeds[name] for name in peers},
            "updates_per_s_by_library": speeds,
            "batch": BATCH,
            "hidden": list(HIDDEN),
            "experience": EXPERIENCE,
            "by_keypoints": _sweep((8, 10, 12, 14), lambda k: ours(num_keypoints=k, **so), rounds),
            "by_batch": _sweep((128, 256, 512, 1024, 2048), lambda b: ours(batch=b, **so), rounds),
            "by_experience": _sweep((10_000, 50_000, 200_000, 1_000_000), lambda n: ours(experience=n, **so), rounds),
            "by_algorithm": _sweep(("sac", "ddpg"), lambda algo: ours(algo=algo, **so), rounds),
            "by_critic": _sweep(CRITICS, lambda critic: ours(critic=critic, **so), rounds),
            "cores": len(os.sched_getaffinity(0)),
        }
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)


Learn = Callable[[int], None]
"""Does so many updates."""


def ours(
    num_keypoints: int = NUM_KEYPOINTS,
    batch: int = BATCH,
    experience: int = EXPERIENCE,
    algo: Any = "sac",
    critic: Any = "observation",
    compile: Any = "auto",
) -> Learn:
    """Our learner, as a training uses it."""
    config = TrainPolicyConfig(
        algo=algo, batch_size=batch, buffer_size=experience, actor_hidden=HIDDEN, critic_hidden=HIDDEN, critic=critic,
        learning_rate=3e-4, compile=compile,
    )  # fmt: skip
    sizes = Sizes(2 * num_keypoints + END_EFFECTOR_SIZE, GOAL_SIZE, ACTION_SIZE, PRIVILEGED_SIZE)
    learner = InlineLearner(config, sizes, compute_reward)
    episode = _episode(num_keypoints)
    while len(learner.replay) < experience:
        learner.replay.add(episode)
    learner.add(episode)  # through the front door once, so that the normalisation has seen something
    return learner.update


def _episode(num_keypoints: int) -> Episode:
    env = Noise(num_keypoints)
    recorder = EpisodeRecorder(*env.reset(seed=0))
    for _ in range(EPISODE_STEPS):
        action = env.np_random.uniform(-1, 1, ACTION_SIZE).astype(np.float32)
        observation, _, terminated, _, info = env.step(action)
        recorder.step(action, observation, terminated, info)
    return recorder.episode()


def _peer(name: str) -> Learn:
    """A peer's SAC with its hindsight replay, filled by itself."""
    try:
        if name == "sb3":
            from stable_baselines3 import SAC
        else:
            from sbx import SAC  # type: ignore[import-not-found,no-redef]
        from stable_baselines3 import HerReplayBuffer
        from stable_baselines3.common.logger import configure
    except ImportError as error:
        package = {"sb3": "stable-baselines3", "sbx": "sbx-rl"}[name]
        raise KprlError(
            f"{name} cannot be measured ({error}): pip install {package}, or leave it out of --peers"
        ) from None
    kwargs: dict[str, Any] = {"net_arch": list(HIDDEN)} | ({"layer_norm": True} if name == "sbx" else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = gymnasium.wrappers.TimeLimit(Noise(), EPISODE_STEPS)
        model = SAC(
            "MultiInputPolicy", env, batch_size=BATCH, learning_rate=3e-4, learning_starts=EXPERIENCE + 1, seed=0,
            replay_buffer_class=HerReplayBuffer,
            replay_buffer_kwargs={"n_sampled_goal": 4, "goal_selection_strategy": "future", "copy_info_dict": True},
            buffer_size=EXPERIENCE, policy_kwargs=kwargs, device="cpu",
        )  # fmt: skip
        model.learn(EXPERIENCE)
    model.set_logger(configure(None, []))
    return lambda updates: model.train(updates, BATCH)


def _alternate(learns: Mapping[str, Learn], rounds: int) -> dict[str, float]:
    """Updates a second of each, the median over the rounds after a first that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in learns}
    for round_ in range(rounds + 1):
        for name, learn in learns.items():
            began = time.perf_counter()
            learn(ROUND)
            if round_:
                seconds[name].append(time.perf_counter() - began)
    return {name: ROUND / float(np.median(values)) for name, values in seconds.items()}


def _sweep(values: tuple[Any, ...], make: Callable[[Any], Learn], rounds: int) -> dict[str, float]:
    return _alternate({str(value): make(value) for value in values}, rounds)
