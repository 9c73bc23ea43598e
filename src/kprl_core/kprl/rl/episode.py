"""One episode of experience, and the recorder that gathers it step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Episode:
    """T steps; where a field has T + 1 rows, row t is before step t and row t + 1 after it. All float32."""

    observation: np.ndarray  # (T + 1, n)
    privileged: np.ndarray  # (T + 1, p), p = 0 where the environment gives none
    achieved_goal: np.ndarray  # (T + 1, g)
    desired_goal: np.ndarray  # (T, g)
    action: np.ndarray  # (T, a)
    regulation: np.ndarray  # (T,) alpha2 * sum of psi after the step, eq. 11; 0 where there is none
    terminated: np.ndarray  # (T,) 1 where the task ended; never for a time limit

    def __len__(self) -> int:
        return len(self.action)


class EpisodeRecorder:
    """Gathers what `reset` and `step` of a Gymnasium goal environment return."""

    def __init__(self, observation: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> None:
        """Begin with the results of `reset`."""
        self._rows: dict[str, list[Any]] = {name: [] for name in Episode.__dataclass_fields__}
        self._state(observation, info)

    def _state(self, observation: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> None:
        # Copies: an environment may reuse its arrays.
        self._rows["observation"].append(np.array(observation["observation"], np.float32))
        self._rows["achieved_goal"].append(np.array(observation["achieved_goal"], np.float32))
        self._rows["privileged"].append(np.array(info.get("privileged", ()), np.float32))

    def step(
        self,
        action: np.ndarray,
        observation: Mapping[str, np.ndarray],
        terminated: bool,
        info: Mapping[str, Any],
    ) -> None:
        """Add one step: the action and what came back."""
        self._state(observation, info)
        self._rows["action"].append(np.array(action, np.float32))
        self._rows["desired_goal"].append(np.array(observation["desired_goal"], np.float32))
        self._rows["regulation"].append(info.get("regulation", 0.0))
        self._rows["terminated"].append(terminated)

    def episode(self) -> Episode:
        """The steps so far."""
        return Episode(**{name: np.asarray(rows, np.float32) for name, rows in self._rows.items()})
