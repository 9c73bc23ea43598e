"""The observation vectors: what the policy sees, and what only a critic in simulation sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kprl.action import GRIPPER_STROKE
from kprl.control.limits import WORKSPACE

Vector = npt.NDArray[np.float32]

END_EFFECTOR_SIZE = 4  # tool centre point and gripper opening
PRIVILEGED_SIZE = 17


def end_effector_observation(tcp: npt.NDArray[np.floating], opening: float) -> Vector:
    """Tool centre point (3,) [m] from the workspace's centre and opening as a share of the stroke, (4,)."""
    parts = np.empty(END_EFFECTOR_SIZE, np.float32)
    parts[:3] = tcp - WORKSPACE.centre
    parts[3] = opening / GRIPPER_STROKE
    return parts


def actor_observation(keypoints: npt.NDArray[np.floating], tcp: npt.NDArray[np.floating], opening: float) -> Vector:
    """Observation of the policy (2K + 4,): keypoint positions (K, 2) in [-1, 1], then the end-effector state."""
    return join_observation(keypoints, end_effector_observation(tcp, opening))


def join_observation(keypoints: npt.NDArray[np.floating], end_effector: npt.NDArray[np.floating]) -> Vector:
    """Keypoints (..., K, 2 or 3) and end-effector state (..., E) -> observation of the policy (..., 2K + E).

    Section III-B: "keypoints pixel positions and robot end-effector state represent S". Confidence, where
    `keypoints` carries it as a third column, is not part of it (III-C1: K x 2).
    """
    positions = np.asarray(keypoints, dtype=np.float32)[..., :2]
    flat = positions.reshape(*positions.shape[:-2], -1)
    return np.concatenate([flat, np.asarray(end_effector, dtype=np.float32)], axis=-1)


def privileged_observation(
    tcp: npt.NDArray[np.floating],
    tcp_velocity: npt.NDArray[np.floating],
    opening: float,
    object_position: npt.NDArray[np.floating],
    object_velocity: npt.NDArray[np.floating],
    engaged: bool,
) -> Vector:
    """The simulator's truth (17,), in metres and metres per second: for critics and for the preset `state` only."""
    parts = np.empty(PRIVILEGED_SIZE, np.float32)
    parts[:4] = end_effector_observation(tcp, opening)
    parts[4:7] = object_position - WORKSPACE.centre
    parts[7:10] = object_position - tcp
    parts[10:13] = tcp_velocity
    parts[13:16] = object_velocity
    parts[16] = engaged
    return parts
