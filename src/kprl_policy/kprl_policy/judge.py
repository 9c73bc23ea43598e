"""How an episode really ended, from the simulator's truth: for evaluation only. Pure: no ROS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kprl.tasks.outcome import outcome

# What /run_episode says where the graph failed, not the policy.
BROKEN = ("no_observations", "reset_timeout", "reset_failed", "cancelled")


@dataclass(frozen=True)
class TruthSample:
    """The truth of one control period."""

    step: int
    grasped: bool
    is_success: bool
    object_position: tuple[float, float, float]  # [m] base_link


def judge(says: str, truth: Sequence[TruthSample]) -> str:
    """The kind of the end: success is that of the last sample; `says` is the outcome that /run_episode gave."""
    if says.startswith(BROKEN):
        return says.split(":")[0]
    if not truth:
        return "no_truth"
    return outcome(truth[-1].is_success, [sample.grasped for sample in truth])


def episode_report(seed: int, says: str, steps: int, truth: Sequence[TruthSample]) -> dict[str, Any]:
    """One episode as it is written to result.json."""
    last = truth[-1] if truth else None
    return {
        "seed": seed,
        "outcome": judge(says, truth),
        "gripper_says": says,
        "steps": steps,
        "truth": None
        if last is None
        else {
            "is_success": last.is_success,
            "grasped": last.grasped,
            "step": last.step,
            "object_position": list(last.object_position),
        },
    }


def result(episodes: Sequence[dict[str, Any]], provenance: dict[str, Any]) -> dict[str, Any]:
    """The content of result.json."""
    outcomes = Counter(episode["outcome"] for episode in episodes)
    return {
        "success_rate": outcomes["success"] / len(episodes),
        "episodes": len(episodes),
        "outcomes": dict(outcomes),
        **provenance,
        "per_episode": list(episodes),
    }
