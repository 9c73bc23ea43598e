"""How an episode ended: from a simulator's truth where there is one, else in the robot's own words.

For evaluation only. Pure: no node, no message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kprl.tasks.outcome import SUCCESS, count_failures, outcome

RESET_FAILED = "reset_failed"
NOT_KNOWN = "not_known"  # what a robot says of an outcome that it has no sensor for
# What /run_episode says where the graph failed, not the policy, and what to look at then.
BROKEN = {
    "no_observations": "are the robot or sim bridge, the camera and the keypoint node running, on the policy's bundle?",
    "reset_timeout": "is the robot driver or a sim bridge running, with the same ROS_DOMAIN_ID?",
    RESET_FAILED: "see the log of the robot driver or the sim bridge",
    "cancelled": "something else cancelled it",
    "disabled": "somebody called /policy/enable with false",
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
    """One episode as it is written to result.json; `says` is the outcome that /run_episode gave.

    Where nobody knows the truth, `truth` is empty, and what the robot says is the outcome; where the graph failed, that
    is the outcome, wherever the object is.
    """
    kind = says.split(":")[0]
    if not truth:
        return {"seed": seed, "outcome": kind, "gripper_says": says, "steps": steps, "truth": None}
    last = truth[-1]
    if kind not in BROKEN:
        kind = outcome(last.is_success, [sample.engaged for sample in truth], last.object_position)
    return {
        "seed": seed,
        "outcome": kind,
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
    """The content of result.json; `gripper_is_right`: in what share of the episodes it says success where it is one."""
    outcomes = Counter(episode["outcome"] for episode in episodes)
    judged = len(episodes) - outcomes[NOT_KNOWN]
    true = [episode for episode in episodes if episode["truth"] is not None and episode["outcome"] not in BROKEN]
    agreed = sum(episode["truth"]["is_success"] == (episode["gripper_says"] == SUCCESS) for episode in true)
    return {
        "success_rate": outcomes[SUCCESS] / judged if judged else None,
        "episodes": len(episodes),
        "outcomes": dict(outcomes),
        "failures": count_failures(outcomes.elements()),
        "gripper_is_right": agreed / len(true) if true else None,
        **provenance,
        "per_episode": list(episodes),
    }
