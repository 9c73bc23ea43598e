"""The parameter `goal` of sim bridge, driver and launch files, and the driver's `home`: one check for all. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kprl.control.limits import WORKSPACE
from kprl.errors import KprlError


def read_goal(text: str, name: str = "goal") -> npt.NDArray[np.float64] | None:
    """The goal (3,) [m] in base_link from 'x,y,z'; None where the text is empty: the task draws one.

    `name` is what errors call it.

    Errors: `KprlError` for anything but three numbers, and for a goal out of the workspace.
    """
    if not text.strip():
        return None
    try:
        goal = np.array([float(part) for part in text.split(",")])
    except ValueError:
        goal = np.empty(0)
    if len(goal) != 3:
        raise KprlError(f"{name} is '{text}': expected 3 numbers [m], as in 0.5,0.0,0.15")
    if not WORKSPACE.contains(goal).all():
        raise KprlError(f"{name} {text} is outside of the workspace {WORKSPACE.lower} to {WORKSPACE.upper} m")
    return goal
