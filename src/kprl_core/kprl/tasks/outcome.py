"""How an episode ended, in one word: for results of training, simulation and evaluation alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from kprl.control.limits import WORKSPACE

SUCCESS = "success"
FAILURES = ("missed", "dropped", "out_of_workspace", "timed_out")


def outcome(
    is_success: bool, engaged: Sequence[bool], object_position: Sequence[float] | npt.NDArray[np.floating]
) -> str:
    """The kind of an episode, from how it stands at its end and from `engaged` of every step.

    `out_of_workspace`: the object lies where the tool cannot get above it; `missed`: it was never held (grasp) or
    touched (push); `dropped`: it was held, but not at the end; `timed_out`: it is in the robot's hands, or was
    pushed, and was not at the goal when the time was up.

    Args:
        engaged: see `kprl.tasks.task.Task`, in every step; at least one.
        object_position: (3,) [m] in base_link, at the end.
    """
    if is_success:
        return SUCCESS
    if not WORKSPACE.contains(np.asarray(object_position, np.float64))[:2].all():
        return "out_of_workspace"
    if not any(engaged):
        return "missed"
    return "timed_out" if engaged[-1] else "dropped"


def count_failures(outcomes: Iterable[str]) -> dict[str, int]:
    """How often each kind of failure occurred, the absent ones too."""
    counted = Counter(outcomes)
    return {kind: counted[kind] for kind in FAILURES}
