"""How an episode really ended, from the simulator's truth: for evaluation only. Pure: no node, no message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kprl.tasks.outcome import count_failures, outcome

# What /run_episode says where the graph failed, not the policy, and what to look at then.
BROKEN = {
    "no_observations": "are the sim bridge and the keypoint node running, on the bundle of the policy node?",
    "reset_timeout": "is a sim bridge running, with the same ROS_DOMAIN_ID?",
    "reset_failed": "see the sim bridge's log",
    "cancelled": "something else cancelled it",
}


@dataclass(frozen=True)
class TruthSample:
    """The truth of one control period."""

    step: int
    engaged: bool
    is_success: bool
    object_position: tuple[float, float, float]  # [m] base_link


def why_broken(says: str) -> str:
    """What /run_episode said and what to check, where the graph failed; empty where the policy had its episode."""
    hint = BROKEN.get(says.split(":")[0])
    return f"{says}; {hint}" if hint else ""


def newest_world(steps: Sequence[int]) -> int:
    """Where in a sequence of step numbers the newest world begins: steps only fall or repeat at a reset."""
    return max((index for index in range(1, len(steps)) if steps[index] <= steps[index - 1]), default=0)


def episode_report(seed: int, says: str, steps: int, truth: Sequence[TruthSample]) -> dict[str, Any]:
    """One episode as it is written to result.json; `says` is the outcome that /run_episode gave, `truth` not empty."""
    last = truth[-1]
    return {
        "seed": seed,
        "outcome": outcome(last.is_success, [sample.engaged for sample in truth], last.object_position),
        "gripper_says": says,
        "steps": steps,
        "truth": {
            "is_success": last.is_success,
            "engaged": last.engaged,
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
        "failures": count_failures(outcomes.elements()),
        **provenance,
        "per_episode": list(episodes),
    }
