"""Gymnasium environments: robot + task + observation. Importing this package registers them."""

from __future__ import annotations

import gymnasium

EPISODE_STEPS = 50  # 2.5 s at 20 Hz

ENVIRONMENTS = {"grasp": "kprl/UR5Grasp-v1", "push": "kprl/UR5Push-v1"}  # by task

for task, name in ENVIRONMENTS.items():
    if name not in gymnasium.registry:
        gymnasium.register(
            name,
            entry_point="kprl.envs.manipulation:ManipulationEnv",
            kwargs={"task": task},
            max_episode_steps=EPISODE_STEPS,
        )
