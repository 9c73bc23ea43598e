"""The controller's frame `base` and ROS's `base_link`: one is the other turned by half a turn about z. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

HALF_TURN: Array = np.array([-1.0, -1.0, 1.0])  # on the components of a vector, either way


def position_in_base_link(pose: Sequence[float]) -> Array:
    """Position (3,) [m] in base_link of a pose on the wire: x, y, z, rotation vector, in `base`."""
    return HALF_TURN * np.array(pose[:3])


def quaternion_in_base_link(pose: Sequence[float]) -> Array:
    """Orientation (4,) xyzw in base_link of a pose on the wire: x, y, z, rotation vector, in `base`."""
    angle = math.hypot(*pose[3:])
    share = math.sin(angle / 2.0) / angle if angle > 0.0 else 0.5
    x, y, z = (share * part for part in pose[3:])
    w = math.cos(angle / 2.0)
    return np.array([-y, x, w, -z])  # half a turn about z, then the rotation


def twist_in_base(linear: Array) -> list[float]:
    """A linear velocity (3,) [m/s] in base_link as a twist (6,) in `base`, which does not turn the tool."""
    return [*(HALF_TURN * linear).tolist(), 0.0, 0.0, 0.0]
