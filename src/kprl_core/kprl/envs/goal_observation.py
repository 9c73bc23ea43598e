"""What an agent gets out of a world's snapshot: spaces, observation dictionary, info and reward.

The in-process environment and the one over ROS 2 topics share these, so that a policy cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from kprl.action import ACTION_SIZE
from kprl.observation import END_EFFECTOR_SIZE, PRIVILEGED_SIZE, privileged_observation
from kprl.preprocess import IMAGE_SIZE
from kprl.tasks.reward import guided_reward, regulation

PRESETS = ("state", "keypoints", "image")


def action_space() -> spaces.Box:
    """Actions (4,) in [-1, 1], see `kprl.action`."""
    return spaces.Box(-1.0, 1.0, (ACTION_SIZE,), np.float32)


def observation_space(preset: str, num_keypoints: int = 0) -> spaces.Dict:
    """Goal-environment space: `observation` by preset, `achieved_goal` and `desired_goal` (3,) [m]."""
    sizes = {
        "state": PRIVILEGED_SIZE,
        "keypoints": 2 * num_keypoints + END_EFFECTOR_SIZE,
        "image": END_EFFECTOR_SIZE,
    }
    goal = spaces.Box(-np.inf, np.inf, (3,), np.float32)
    parts: dict[str, spaces.Space[Any]] = {
        "observation": spaces.Box(-np.inf, np.inf, (sizes[preset],), np.float32),
        "achieved_goal": goal,
        "desired_goal": goal,
    }
    if preset == "image":
        parts["image"] = spaces.Box(0, 255, (IMAGE_SIZE, IMAGE_SIZE, 1), np.uint8)
    return spaces.Dict(parts)


def truth_info(
    tcp: npt.NDArray[np.floating],
    tcp_velocity: npt.NDArray[np.floating],
    opening: float,
    object_position: npt.NDArray[np.floating],
    object_velocity: npt.NDArray[np.floating],
    engaged: bool,
    is_success: bool,
) -> dict[str, Any]:
    """The info dictionary of a step: success, the critic's privileged view, and the goal-independent reward term."""
    return {
        "is_success": bool(is_success),
        "engaged": bool(engaged),
        "privileged": privileged_observation(tcp, tcp_velocity, opening, object_position, object_velocity, engaged),
        "regulation": float(regulation(tcp)),
    }


def compute_reward(
    achieved_goal: npt.NDArray[np.floating],
    desired_goal: npt.NDArray[np.floating],
    info: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> npt.NDArray[np.floating]:
    """Equation (10), batched over goals (..., 3); `info` is one dictionary (of arrays) or one per goal."""
    if isinstance(info, Mapping):
        term = np.asarray(info["regulation"])
    else:
        term = np.array([entry["regulation"] for entry in info])
    return np.asarray(guided_reward(achieved_goal, desired_goal, term))
