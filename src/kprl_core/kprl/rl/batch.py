"""What one update takes: a batch of transitions, and what is drawn for it; and what it reports."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch

T = TypeVar("T", np.ndarray, torch.Tensor)


class Batch(NamedTuple, Generic[T]):
    """Transitions to learn from, float32, row by row: arrays as they are drawn, tensors as they are learnt from."""

    observation: T  # (B, n)
    next_observation: T  # (B, n)
    privileged: T  # (B, p), p = 0 where the environment gives none
    next_privileged: T  # (B, p)
    achieved: T  # (B, g) the achieved goal before the step
    next_achieved: T  # (B, g) and after it
    goal: T  # (B, g) the desired goal, relabelled or not
    action: T  # (B, a) in [-1, 1]
    reward: T  # (B,)
    terminated: T  # (B,) 1 where the task itself ended; a time limit is not an end


def to_tensors(batch: Batch[np.ndarray]) -> Batch[torch.Tensor]:
    """The same memory as tensors."""
    return Batch(*map(torch.from_numpy, batch))


class Draws(NamedTuple):
    """What an update takes that is not in the batch and differs each time; made outside of what is compiled."""

    next_noise: torch.Tensor  # (B, a) standard normal, for the next actions
    noise: torch.Tensor  # (B, a) for the actor's own
    critic_scales: torch.Tensor  # (2,) of `FlatAdam.begin`
    actor_scales: torch.Tensor | None  # None: the actor stays as it is this time


Metrics = dict[str, torch.Tensor]
"""By name, 0-dim, not waited for."""
