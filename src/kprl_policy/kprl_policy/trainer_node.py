"""The trainer node: the training loop of the library, on the environment over topics."""

from __future__ import annotations

import dataclasses
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.node import Node

from kprl.keypoints.folder import read_description
from kprl.policy_run import PolicyRun, train_and_deliver
from kprl.rl.config import PRESETS, TrainPolicyConfig, preset
from kprl.rl.loop import Progress
from kprl_policy.topic_env import STEP_TIMEOUT, over_topics
from kprl_ros.diagnostics import RATE, Diagnostics
from kprl_ros.parameters import declare, declare_choice, declare_path
from kprl_ros.shell import run_job


def declare_run(node: Node) -> PolicyRun:
    """Parameters of what is trained and where it goes."""
    started = declare(node, "started", 0.0, "Unix time [s] at which the whole run began; 0: now", (0.0, 1e12))
    return PolicyRun(
        keypoints=declare_path(
            node, "keypoints", "the keypoint model's folder, the one that the keypoint node runs"
        ),
        out=declare_path(node, "output", "the run folder").absolute(),
        task=declare(node, "task", "grasp", "what is learnt"),
        scene=declare(
            node, "scene", "env1", "scene of the sim bridge, for the bundle and the final evaluation"
        ),
        object=declare(
            node, "object", "cube", "object of the sim bridge, for the bundle and the final evaluation"
        ),
        final_episodes=declare(node, "final_episodes", 50, "episodes of the final evaluation", (1, 100_000)),
        started=started or None,
    )


def declare_config(node: Node) -> TrainPolicyConfig:
    """Parameters of how it is trained: a preset, and what differs from it."""
    name = declare_choice(node, "preset", "quick", "training preset", tuple(PRESETS))
    steps = declare(node, "steps", 0, "environment steps; 0: the preset's", (0, 2**31))
    minutes = declare(
        node, "minutes", 0.0, "stop after this much time at the latest; 0: no limit", (0.0, 1e5)
    )
    seed = declare(node, "seed", 0, "seed of everything random", (0, 2**31))
    random_steps = declare(
        node, "random_steps", -1, "steps of random actions before learning; -1: the preset's", (-1, 2**31)
    )
    evaluated = declare(
        node, "evaluation_episodes", 0, "episodes of each evaluation; 0: the preset's", (0, 100_000)
    )
    changes: dict[str, Any] = {"seed": seed}
    changes |= {"steps": steps} if steps else {}
    changes |= {"minutes": minutes} if minutes else {}
    changes |= {"random_steps": random_steps} if random_steps >= 0 else {}
    changes |= {"evaluation_episodes": evaluated} if evaluated else {}
    return dataclasses.replace(preset(name), **changes)


def train() -> None:
    """Wait for the graph, train, and leave the run folder."""
    node = Node("trainer_node")
    try:
        run, config = declare_run(node), declare_config(node)
        resume = declare(node, "resume", False, "go on with an interrupted training in the run folder")
        step_timeout = declare(
            node, "step_timeout", STEP_TIMEOUT, "most time [s] that a reset or a step may take", (0.1, 3600.0)
        )
        diagnostics = Diagnostics(node)  # published while the environment waits for its observations
        num_keypoints = int(read_description(Path(run.keypoints))["num_keypoints"])

        diagnostics.values[RATE] = "0.0"
        before, since = 0, time.monotonic()

        def count(progress: Progress) -> bool:
            nonlocal before, since
            now, steps = time.monotonic(), int(progress.row["step"])
            diagnostics.values[RATE] = f"{(steps - before) / (now - since):.1f}"  # since the last episode's end
            before, since = steps, now
            for counter, column in (("steps", "step"), ("episodes", "episode")):
                diagnostics.counts[counter] = int(progress.row[column])
            return False

        factory = partial(over_topics, num_keypoints, node, step_timeout)
        summary = train_and_deliver(run, config, factory, callback=count, resume=resume)
        node.get_logger().info(
            f"success {summary['success_before']:.0%} before, {summary['success_after']:.0%} after "
            f"{summary['env_steps']} steps and {summary['minutes']:.1f} minutes; everything is in {run.out}"
        )
    finally:
        node.destroy_node()


def main() -> None:
    """Entry point."""
    sys.exit(run_job(train))
