"""Replay memory that knows where episodes end: a ring of transitions in one contiguous array."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kprl.errors import KprlError
from kprl.rl.agent import Sizes
from kprl.rl.episode import Episode


class Replay:
    """The last `capacity` transitions.

    One row of `table` is one transition, so that gathering a batch is one pass over memory. Overwriting begins
    at the oldest step, hence a kept transition always has all later steps of its episode.
    """

    def __init__(self, capacity: int, sizes: Sizes) -> None:
        widths = {
            "observation": sizes.observation,
            "next_observation": sizes.observation,
            "privileged": sizes.privileged,
            "next_privileged": sizes.privileged,
            "achieved_goal": sizes.goal,
            "next_achieved_goal": sizes.goal,
            "desired_goal": sizes.goal,
            "action": sizes.action,
            "regulation": 1,  # after the step
            "terminated": 1,
        }
        ends = np.cumsum(list(widths.values())).tolist()
        self.capacity, self.sizes = capacity, sizes
        self.columns = {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}
        self.table = np.zeros((capacity, ends[-1]), np.float32)
        self.steps_left = np.zeros(capacity, np.int64)  # steps of the same episode that follow
        self.added = 0  # transitions ever added; the next goes to row added % capacity

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, episode: Episode) -> None:
        """Append a whole episode; one that does not fit the sizes or the capacity is a `KprlError`."""
        steps = len(episode)
        if not 0 < steps <= self.capacity:
            raise KprlError(f"an episode of {steps} steps does not fit a replay of {self.capacity} steps")
        self._check(episode)
        rows = np.concatenate(
            [
                episode.observation[:-1],
                episode.observation[1:],
                episode.privileged[:-1],
                episode.privileged[1:],
                episode.achieved_goal[:-1],
                episode.achieved_goal[1:],
                episode.desired_goal,
                episode.action,
                episode.regulation[:, None],
                episode.terminated[:, None],
            ],
            axis=1,
        )
        if not np.isfinite(rows).all():
            raise KprlError("an episode holds NaN or infinite values: check the environment's observations")
        where = np.arange(self.added, self.added + steps) % self.capacity
        self.table[where] = rows
        self.steps_left[where] = np.arange(steps)[::-1]
        self.added += steps

    def _check(self, episode: Episode) -> None:
        widths = Sizes(
            episode.observation.shape[1],
            episode.desired_goal.shape[1],
            episode.action.shape[1],
            episode.privileged.shape[1],
        )
        if widths != self.sizes or len(episode.observation) != len(episode) + 1:
            raise KprlError(f"an episode has vectors of {tuple(widths)}: the agent expects {tuple(self.sizes)}")

    def rows(self, index: np.ndarray) -> np.ndarray:
        """Copy of the transitions `index` (B,) -> (B, columns)."""
        return self.table.take(index, axis=0)

    def later_achieved(self, index: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Goal achieved `offset` (B,) steps after transition `index` (B,) of the same episode -> (B, g)."""
        return self.table[(index + offset) % self.capacity, self.columns["next_achieved_goal"]]

    def state_dict(self) -> dict[str, np.ndarray]:
        """The filled part of the memory as plain arrays."""
        filled = len(self)
        return {
            "table": self.table[:filled].copy(),
            "steps_left": self.steps_left[:filled].copy(),
            "added": np.array(self.added),
        }

    def load_state_dict(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over a `state_dict` of a replay of the same capacity and sizes."""
        added, table = int(arrays["added"]), arrays["table"]
        if table.shape != (min(added, self.capacity), self.table.shape[1]):
            raise KprlError(
                f"the saved replay holds a table of shape {table.shape} after {added} transitions: it does not"
                f" fit a replay of {self.capacity} x {self.table.shape[1]}"
            )
        self.table[: len(table)] = table
        self.steps_left[: len(table)] = arrays["steps_left"]
        self.added = added
