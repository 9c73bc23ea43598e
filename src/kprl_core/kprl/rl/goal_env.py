"""What the training loop asks of an environment: a goal environment of vectors, and its reward as a function."""

from __future__ import annotations

import gymnasium
import numpy as np

from kprl.errors import KprlError
from kprl.rl.agent import Sizes
from kprl.rl.her import Reward

GoalEnv = gymnasium.Env[dict[str, np.ndarray], np.ndarray]


def vector_sizes(env: GoalEnv, seed: int) -> Sizes:
    """Vector widths of the environment; one that is no goal environment is a `KprlError`."""
    space, action = env.observation_space, env.action_space
    names = ("observation", "achieved_goal", "desired_goal")
    if not isinstance(space, gymnasium.spaces.Dict) or not set(names) <= set(space.spaces):
        raise KprlError(f"the environment's observation is {space}: expected a Dict with {', '.join(names)}")
    for name in names:
        if len(space[name].shape or ()) != 1:
            raise KprlError(f"the environment's '{name}' is {space[name]}: expected a vector")
    box = isinstance(action, gymnasium.spaces.Box) and len(action.shape) == 1
    if not box or not (np.all(action.low == -1) and np.all(action.high == 1)):
        raise KprlError(f"the environment's action space is {action}: expected a vector Box from -1 to 1")
    observation, info = env.reset(seed=seed)
    return Sizes(
        observation=len(observation["observation"]),
        goal=len(observation["desired_goal"]),
        action=action.shape[0],
        privileged=np.size(info.get("privileged", ())),
    )


def reward_of(env: GoalEnv, picklable: bool) -> Reward:
    """The environment's own reward; `picklable`: for a learner in a process of its own. None is a `KprlError`."""
    reward: Reward | None
    if not picklable:
        reward = getattr(env.unwrapped, "compute_reward", None)
        if reward is None:
            raise KprlError("the environment has no compute_reward: hindsight replay needs it")
        return reward
    reward = getattr(env.unwrapped, "reward_function", None)
    if reward is None:
        raise KprlError(
            "learner 'process' needs the reward as a picklable function: pass compute_reward, give the"
            " environment a reward_function attribute, or choose learner 'inline'"
        )
    return reward
