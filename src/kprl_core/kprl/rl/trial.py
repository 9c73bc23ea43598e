"""Evaluation in several worlds at once: the same episodes as in one, in a fraction of the time."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import numpy as np

from kprl.errors import KprlError
from kprl.rl.acting import WorldsFactory, greedy_actions, start_options, world_row
from kprl.rl.evaluation import EpisodeOutcome, EvaluationResult, evaluation_seeds, outcome_of, result_of
from kprl.rl.policy import Policy

INFO = ("is_success", "engaged")
"""What is read of a world's info, where the environment gives it."""
MAX_LOSSES = 2
"""An episode that has cost more workers than this is not begun again."""


class TrialWorlds:
    """Worlds that only evaluate, so that no training episode is cut short. They wait in between."""

    def __init__(self, factory: WorldsFactory, workers: int) -> None:
        """Start `workers` worlds."""
        self._waiting: deque[int] = deque()  # places in the evaluation whose episode nobody has begun
        self._seeds: list[int] = []
        self._places: list[int | None] = [None] * workers  # of each world's episode; None: of none, it does not count
        self._env = factory(workers, self._next_reset)

    def evaluate(self, policy: Policy, episodes: int, seed: int) -> EvaluationResult:
        """See `kprl.rl.evaluation.evaluate`; the episode of a worker that is lost is begun again."""
        self._seeds = evaluation_seeds(episodes, seed)
        self._waiting = deque(range(episodes))
        found: dict[int, EpisodeOutcome] = {}
        losses: Counter[int] = Counter()
        observations, _ = self._env.reset()
        count = len(self._places)
        totals, steps = np.zeros(count), np.zeros(count, int)
        engaged: list[list[bool]] = [[] for _ in range(count)]
        while len(found) < episodes:
            places = list(self._places)  # a step also begins the next episodes
            lost = set(range(episodes)).difference(found, self._waiting, places)  # with a worker
            self._begin_again(sorted(lost), losses)
            observations, rewards, terminated, truncated, infos = self._env.step(greedy_actions(policy, observations))
            for world, dropped in enumerate(infos["dropped"]):
                ended = terminated[world] or truncated[world]
                place = places[world]
                if not dropped:
                    info = world_row(infos["final_info"] if ended else infos, world, INFO)
                    totals[world] += float(rewards[world])
                    steps[world] += 1
                    engaged[world] += [bool(info["engaged"])] if "engaged" in info else []
                if ended and place is not None:
                    found[place] = outcome_of(
                        self._seeds[place], bool(info["is_success"]), float(totals[world]), int(steps[world]),
                        engaged[world], infos["final_obs"][world]["achieved_goal"],
                    )  # fmt: skip
                if ended or dropped:
                    totals[world], steps[world], engaged[world] = 0.0, 0, []
        return result_of([found[place] for place in range(episodes)])

    def _begin_again(self, places: list[int], losses: Counter[int]) -> None:
        """Let the worlds begin the episodes at `places` anew; `losses`: how often each was lost before."""
        losses.update(places)
        for place in places:
            if losses[place] > MAX_LOSSES:
                raise KprlError(
                    f"the evaluation's episode with seed {self._seeds[place]} has cost {losses[place]} workers:"
                    " their warnings above say how; reset an environment with that seed to see it alone"
                )
        self._waiting.extend(places)

    def close(self) -> None:
        """End all worlds."""
        self._env.close()

    def _next_reset(self, world: int) -> tuple[int, dict[str, Any]]:
        """The next episode that nobody has begun; once there is none, a world passes its time with the last."""
        self._places[world] = self._waiting.popleft() if self._waiting else None
        place = self._places[world]
        return self._seeds[-1 if place is None else place], start_options(curriculum=False)
