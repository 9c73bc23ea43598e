"""How an episode ended, in one word: for results of training, simulation and evaluation alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

SUCCESS = "success"
FAILURES = ("missed", "dropped", "off_goal")


def outcome(is_success: bool, engaged: Sequence[bool]) -> str:
    """The kind of an episode from its last success and from `engaged` of every step, see `kprl.tasks.task.Task`.

    `missed`: the object was never held (grasp) or touched (push); `dropped`: it was held, but not at the end;
    `off_goal`: it is in the robot's hands, or was pushed, and lies elsewhere.
    """
    if is_success:
        return SUCCESS
    if not any(engaged):
        return "missed"
    return "off_goal" if engaged[-1] else "dropped"


def count_failures(outcomes: Iterable[str]) -> dict[str, int]:
    """How often each kind of failure occurred, the absent ones too."""
    counted = Counter(outcomes)
    return {kind: counted[kind] for kind in FAILURES}
