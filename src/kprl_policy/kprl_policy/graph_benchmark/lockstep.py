"""What a step costs over topics in lockstep, against the same step in process: the environment's, and a training's."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np
from gymnasium.wrappers import TimeLimit
from rclpy.executors import Executor
from rclpy.node import Node

from kprl.envs import EPISODE_STEPS
from kprl.envs.goal_observation import compute_reward
from kprl.keypoints.encoder import load_encoder
from kprl.policy_run import make_env
from kprl.rl.config import preset
from kprl.rl.goal_env import GoalEnv
from kprl.rl.loop import Progress, train
from kprl_policy.graph_benchmark.processes import NAMESPACE, Processes, node_program
from kprl_policy.topic_env import TopicEnv

EPISODES = 12  # of each environment, in turn, so that a busy moment meets both; one more is not counted
WORLD = ("grasp", "env1", "cube")


def over_topics(model: Path) -> GoalEnv:
    """The environment over the benchmark's own topics."""

    class Own(TopicEnv):
        def close(self) -> None:
            super().close()
            node.destroy_node()

    node = Node("trainer_node", namespace=NAMESPACE)
    return TimeLimit(Own(node, load_encoder(model).num_keypoints), EPISODE_STEPS)


def in_process(model: Path) -> GoalEnv:
    """The environment of an ordinary training."""
    return make_env(*WORLD, load_encoder(model))


def measure_lockstep(
    executor: Executor, folder: Path, model: Path, training_steps: int
) -> dict[str, float]:
    """Median milliseconds of a step: `env` and, with `training_steps` above 0, `training`, in both ways.

    The benchmark's own sim bridge and keypoint node, in lockstep, serve both measurements.
    """
    makers = {"topics": lambda: over_topics(model), "inprocess": lambda: in_process(model)}
    with Processes(folder, executor) as processes:
        processes.start("lockstep_bridge", node_program("kprl_sim", "sim_bridge"), {"clock": "lockstep"})
        processes.start("lockstep_keypoints", node_program("kprl_keypoints", "keypoint_node"), {"model": model})
        result = {f"env_{name}": value for name, value in _environments_ms(makers).items()}
        if training_steps:
            for name, make in makers.items():
                result[f"training_{name}"] = training_ms(make, folder / f"training-{name}", training_steps)
    return result


def _environments_ms(makers: dict[str, Callable[[], GoalEnv]]) -> dict[str, float]:
    """Median time [ms] of a step with random actions, the same for all."""
    times: dict[str, list[float]] = {name: [] for name in makers}
    with ExitStack() as stack:
        envs = {name: stack.enter_context(closing(make())) for name, make in makers.items()}
        for episode in range(1 + EPISODES):
            for name, env in envs.items():
                durations = _durations(env, episode)
                times[name] += durations if episode else []
    return {name: 1e3 * median(durations) for name, durations in times.items()}


def _durations(env: GoalEnv, seed: int) -> list[float]:
    """Seconds of each step of an episode."""
    rng, durations, truncated = np.random.default_rng(seed), [], False
    env.reset(seed=seed)
    while not truncated:
        action = rng.uniform(-1, 1, 4).astype(np.float32)
        began = time.perf_counter()
        truncated = env.step(action)[3]
        durations.append(time.perf_counter() - began)
    return durations


def training_ms(
    make: Callable[[], GoalEnv], out: Path, steps: int, compile: Literal["auto", "no"] = "auto"
) -> float:
    """Mean time [ms] of a step in the last part of a training that is stopped after `steps`, resets included.

    All else is the preset `quick` as `kprl policy train` runs it: acting in this process, learning in another, updates
    compiled where there is a compiler. That part begins where acting has had to wait for the learner, which may lag so
    many steps: what was compiled before is not counted.
    """
    config = dataclasses.replace(
        preset("quick"), evaluation_episodes=1, evaluate_every=10**9, random_steps=min(steps // 4, 500), compile=compile
    )
    settled = max(steps // 2, config.random_steps + config.max_lag / config.updates_per_step)
    half: list[tuple[int, float]] = []

    def watch(progress: Progress) -> bool:
        done = int(progress.row["step"])
        if done >= settled:
            half.append((done, time.perf_counter()))
        return done >= steps

    train(make, config, out, compute_reward=compute_reward, callback=watch, show_progress=False)
    (first, began), (last, ended) = half[0], half[-2]  # the last one is told after the evaluation at the end
    return 1e3 * (ended - began) / (last - first)
