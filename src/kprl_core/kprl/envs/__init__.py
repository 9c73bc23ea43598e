"""Gymnasium environments: robot + task + observation. Importing this package registers them."""

from __future__ import annotations

import gymnasium

EPISODE_STEPS = 50  # 2.5 s at 20 Hz

if "kprl/UR5Grasp-v1" not in gymnasium.registry:
    gymnasium.register(
        "kprl/UR5Grasp-v1",
        entry_point="kprl.envs.manipulation:ManipulationEnv",
        kwargs={"task": "grasp"},
        max_episode_steps=EPISODE_STEPS,
    )
