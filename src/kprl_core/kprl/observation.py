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
    return np.array([*(np.asarray(tcp) - WORKSPACE.centre), opening / GRIPPER_STROKE], dtype=np.float32)


def actor_observation(keypoints: npt.NDArray[np.floating], tcp: npt.NDArray[np.floating], opening: float) -> Vector:
    """Observation of the policy (2K + 4,): keypoint positions (K, 2) in [-1, 1], then the end-effector state.

    Section III-B: "keypoints pixel positions and robot end-effector state represent S". Confidence, where
    `keypoints` carries it as a third column, is not part of it (III-C1: K x 2).
    """
    positions = np.asarray(keypoints, dtype=np.float32)[:, :2].ravel()
    return np.concatenate([positions, end_effector_observation(tcp, opening)])


def privileged_observation(
    tcp: npt.NDArray[np.floating],
    tcp_velocity: npt.NDArray[np.floating],
    opening: float,
    object_position: npt.NDArray[np.floating],
    object_velocity: npt.NDArray[np.floating],
    grasped: bool,
) -> Vector:
    """The simulator's truth (17,), in metres and metres per second: for critics and for the preset `state` only."""
    return np.concatenate(
        [
            end_effector_observation(tcp, opening),
            np.asarray(object_position) - WORKSPACE.centre,
            np.asarray(object_position) - np.asarray(tcp),
            np.asarray(tcp_velocity),
            np.asarray(object_velocity),
            [float(grasped)],
        ]
    ).astype(np.float32)
