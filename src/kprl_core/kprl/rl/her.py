"""Hindsight experience replay, strategy `future` (the paper's [39]): pretend a goal that was achieved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from kprl.rl.batch import Batch
from kprl.rl.replay import Replay

Reward = Callable[[np.ndarray, np.ndarray, Mapping[str, np.ndarray]], np.ndarray]
"""compute_reward(achieved (B, g), desired (B, g), {"regulation": (B,)}) -> (B,), as the environment's own."""


def future_offsets(steps_left: np.ndarray, relabels: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which transitions to relabel, and with the goal achieved how many steps later.

    Of a batch, relabels / (relabels + 1) are relabelled: `relabels` artificial transitions for each real one.
    The offset is uniform over [0, steps_left], so 0 means the goal that this very step achieved.

    Args:
        steps_left: (B,) steps that follow each transition in its episode.

    Returns:
        relabelled (B,) bool, offset (B,) int.
    """
    relabelled = rng.random(len(steps_left)) < relabels / (relabels + 1)
    offset = (rng.random(len(steps_left)) * (steps_left + 1)).astype(np.int64)
    return relabelled, offset


def hindsight_batch(
    replay: Replay, batch_size: int, relabels: int, compute_reward: Reward, rng: np.random.Generator
) -> Batch[np.ndarray]:
    """Draw `batch_size` transitions uniformly, relabel their goals, and compute every reward anew."""
    index = rng.integers(len(replay), size=batch_size)
    rows = replay.rows(index)
    fields = {name: rows[:, columns] for name, columns in replay.columns.items()}
    relabelled, offset = future_offsets(replay.steps_left[index], relabels, rng)
    goal = np.where(relabelled[:, None], replay.later_achieved(index, offset), fields["desired_goal"])
    info = {"regulation": fields["regulation"][:, 0]}
    reward = np.asarray(compute_reward(fields["next_achieved_goal"], goal, info), np.float32)
    return Batch(
        observation=fields["observation"],
        next_observation=fields["next_observation"],
        privileged=fields["privileged"],
        next_privileged=fields["next_privileged"],
        achieved=fields["achieved_goal"],
        next_achieved=fields["next_achieved_goal"],
        goal=goal,
        action=fields["action"],
        reward=reward.reshape(batch_size),
        terminated=fields["terminated"][:, 0],
    )
