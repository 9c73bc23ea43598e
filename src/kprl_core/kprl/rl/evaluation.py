"""How good a policy is: greedy episodes from ordinary starts, success rate with its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import gymnasium
import numpy as np

from kprl.errors import KprlError
from kprl.tasks.outcome import outcome

NORMAL_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


class Acting(Protocol):
    """Anything that maps an observation to an action."""

    def act(self, observation: Mapping[str, np.ndarray]) -> np.ndarray:
        """Action (A,) in [-1, 1]."""
        ...


@dataclass(frozen=True)
class EpisodeOutcome:
    """One evaluated episode."""

    seed: int
    success: bool  # is_success of the last step
    episode_return: float  # sum of the rewards, not discounted
    steps: int
    outcome: str = ""  # kind of the end, see kprl.tasks.outcome; empty where the environment tells no grasps


@dataclass(frozen=True)
class EvaluationResult:
    """What `evaluate` found."""

    success_rate: float  # 0 to 1
    ci95: tuple[float, float]  # Wilson interval of the success rate
    mean_return: float
    outcomes: tuple[EpisodeOutcome, ...]
    frames: tuple[tuple[np.ndarray, ...], ...] = field(default=(), repr=False)  # (H, W, 3) uint8, filmed ones

    @property
    def episodes(self) -> int:
        """Number of evaluated episodes."""
        return len(self.outcomes)

    def as_json(self) -> dict[str, Any]:
        """Everything but the frames, as JSON values."""
        return {name: value for name, value in asdict(replace(self, frames=())).items() if name != "frames"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EvaluationResult:
        """What `as_json` gave."""
        low, high = value["ci95"]
        outcomes = tuple(EpisodeOutcome(**outcome) for outcome in value["outcomes"])
        return cls(value["success_rate"], (low, high), value["mean_return"], outcomes)


def wilson_interval(successes: int, episodes: int) -> tuple[float, float]:
    """95 % Wilson score interval of a success rate."""
    if not 0 <= successes <= episodes or episodes == 0:
        raise ValueError(f"{successes} successes of {episodes} episodes is no rate")
    rate, z2 = successes / episodes, NORMAL_95**2
    centre = (rate + z2 / (2 * episodes)) / (1 + z2 / episodes)
    half = NORMAL_95 / (1 + z2 / episodes) * math.sqrt(rate * (1 - rate) / episodes + z2 / (4 * episodes**2))
    # At 0 and 1 the exact bound is the rate itself; do not let rounding move it.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == episodes else centre + half
    return low, high


def evaluate(policy: Acting, env: gymnasium.Env[Any, Any], episodes: int, seed: int, film: int = 0) -> EvaluationResult:
    """Run `episodes` greedy episodes from ordinary starts; the same `seed` gives the same starts.

    Args:
        film: frames of this many first episodes are kept; needs an environment with render_mode "rgb_array".
    """
    if film and env.render_mode != "rgb_array":
        raise KprlError(f"cannot film with render_mode {env.render_mode}: make the environment with 'rgb_array'")
    outcomes, films = [], []
    for index, episode_seed in enumerate(evaluation_seeds(episodes, seed)):
        frames: list[np.ndarray] = []
        outcomes.append(_run(policy, env, episode_seed, frames if index < film else None))
        if index < film:
            films.append(tuple(frames))
    return result_of(outcomes, tuple(films))


def evaluation_seeds(episodes: int, seed: int) -> list[int]:
    """The reset seeds of an evaluation's episodes."""
    if episodes < 1:
        raise KprlError(f"cannot evaluate {episodes} episodes: at least 1 is needed")
    return [int(each) for each in np.random.default_rng(seed).integers(2**31, size=episodes)]


def result_of(
    outcomes: Sequence[EpisodeOutcome], frames: tuple[tuple[np.ndarray, ...], ...] = ()
) -> EvaluationResult:
    """What some episodes come to."""
    successes = sum(outcome.success for outcome in outcomes)
    return EvaluationResult(
        success_rate=successes / len(outcomes),
        ci95=wilson_interval(successes, len(outcomes)),
        mean_return=float(np.mean([outcome.episode_return for outcome in outcomes])),
        outcomes=tuple(outcomes),
        frames=frames,
    )


def outcome_of(
    seed: int, success: bool, total: float, steps: int, engaged: Sequence[bool], achieved: np.ndarray
) -> EpisodeOutcome:
    """One episode's, from its end; `engaged` is empty where the environment tells no grasps."""
    # Where an environment tells of grasps, what it achieves is the object's position.
    kind = outcome(success, engaged, achieved) if engaged else ""
    return EpisodeOutcome(seed, success, total, steps, kind)


def _run(policy: Acting, env: gymnasium.Env[Any, Any], seed: int, frames: list[np.ndarray] | None) -> EpisodeOutcome:
    """One episode; its frames are appended to `frames`."""
    observation, info = env.reset(seed=seed, options={"start": "ordinary"})
    total, steps, ended = 0.0, 0, False
    engaged: list[bool] = []
    while not ended:
        if frames is not None:
            frames.append(np.asarray(env.render()))
        observation, reward, terminated, truncated, info = env.step(policy.act(observation))
        total += float(reward)
        steps += 1
        if "engaged" in info:
            engaged.append(info["engaged"])
        ended = terminated or truncated
    if frames is not None:
        frames.append(np.asarray(env.render()))
    return outcome_of(seed, bool(info["is_success"]), total, steps, engaged, observation["achieved_goal"])
