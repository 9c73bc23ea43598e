"""The guided reward of the paper, equations (10) and (11), batched."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kprl.control.limits import WORKSPACE, Workspace

Array = npt.NDArray[np.floating]

GUIDED_WEIGHT = 10.0  # alpha_1 [1/m]; the paper gives no value
REGULATION_WEIGHT = 0.05  # alpha_2


def goal_distance(achieved: Array, desired: Array) -> Array:
    """d_og: distance [m] between object and goal positions (..., 3)."""
    difference = np.asarray(achieved) - np.asarray(desired)
    return np.sqrt(np.einsum("...i,...i->...", difference, difference))  # half the time of np.linalg.norm


def regulation(tcp: Array, workspace: Workspace = WORKSPACE) -> Array:
    """alpha_2 (psi(x) + psi(y) + psi(z)), equation (11), of tool positions (..., 3): does not depend on the goal.

    The arm's velocity limit keeps the tool in the same box, so the term is lost only by pressing against its walls.
    """
    return REGULATION_WEIGHT * workspace.contains(np.asarray(tcp)).sum(axis=-1)


def guided_reward(achieved: Array, desired: Array, regulation_term: Array | float) -> Array:
    """Equation (10): -alpha_1 max(0, min(d_og, 1)) + the regulation term."""
    return -GUIDED_WEIGHT * np.clip(goal_distance(achieved, desired), 0.0, 1.0) + regulation_term
