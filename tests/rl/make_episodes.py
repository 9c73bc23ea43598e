"""Synthetic episodes whose numbers can be checked by hand."""

from __future__ import annotations

import numpy as np

from kprl.rl.agent import Sizes
from kprl.rl.episode import Episode

SIZES = Sizes(observation=3, goal=2, action=2, privileged=4)


def counted_episode(number: int, steps: int) -> Episode:
    """The goal achieved after step t is (100 number + t, number); the desired one (-number, -1)."""
    t = np.arange(steps + 1, dtype=np.float32)
    return Episode(
        observation=np.repeat((100 * number + t)[:, None], 3, 1),
        privileged=np.repeat((100 * number + t)[:, None] + 0.5, 4, 1),
        achieved_goal=np.stack([100 * number + t - 1, np.full(steps + 1, number)], 1).astype(np.float32),
        desired_goal=np.tile(np.float32([-number, -1]), (steps, 1)),
        action=np.repeat(t[:-1, None], 2, 1),
        regulation=t[:-1] / 10,
        terminated=np.zeros(steps, np.float32),
    )


def random_episode(rng: np.random.Generator, sizes: Sizes = SIZES, steps: int = 10) -> Episode:
    """Numbers like those of a real environment."""

    def draw(*shape: int) -> np.ndarray:
        return rng.uniform(-1, 1, shape).astype(np.float32)

    return Episode(
        observation=draw(steps + 1, sizes.observation),
        privileged=draw(steps + 1, sizes.privileged),
        achieved_goal=draw(steps + 1, sizes.goal),
        desired_goal=draw(steps, sizes.goal),
        action=draw(steps, sizes.action),
        regulation=draw(steps),
        terminated=np.zeros(steps, np.float32),
    )
