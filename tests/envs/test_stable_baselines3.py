"""Algorithms of others train on our environments unchanged: Stable-Baselines3's SAC with HER, and PPO on images.

What its users have to know: HER needs `copy_info_dict=True`, since the reward's regulation term is in the info;
`check_env` wants the unwrapped environment; SubprocVecEnv wants "kprl.envs:" before the name, since its processes know
only what the main script imports at its top.
"""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO, SAC, HerReplayBuffer
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import NatureCNN
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from kprl.envs import ENVIRONMENTS
from kprl.errors import KprlError
from kprl.tasks.reward import GUIDED_WEIGHT, REGULATION_WEIGHT, goal_distance

GRASP = "kprl.envs:kprl/UR5Grasp-v1"
START, STEPS = 110, 220  # HER samples from whole episodes of 50 steps


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_sac(env, **buffer) -> SAC:
    options = {"n_sampled_goal": 4, "goal_selection_strategy": "future", "copy_info_dict": True, **buffer}
    return SAC(
        "MultiInputPolicy",
        env,
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs=options,
        policy_kwargs={"net_arch": [32, 32]},
        buffer_size=1000,
        batch_size=32,
        learning_starts=START,
        seed=0,
        device="cpu",
    )


def parameters(model) -> np.ndarray:
    return torch.nn.utils.parameters_to_vector(model.policy.parameters()).detach().numpy().copy()


@pytest.mark.parametrize("name", ENVIRONMENTS.values())
@pytest.mark.parametrize("preset", ["state", "image"])
def test_its_checker_has_nothing_to_warn_of(name, preset):
    env = gymnasium.make(name, observation=preset)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    env.close()


@pytest.mark.parametrize("vec_env", [DummyVecEnv, SubprocVecEnv])
def test_sac_with_her_trains(vec_env):
    env = make_vec_env(GRASP, n_envs=2, seed=0, vec_env_cls=vec_env)
    model = make_sac(env)
    before = parameters(model)
    model.learn(STEPS)
    assert np.isfinite(parameters(model)).all()
    assert (parameters(model) != before).any()
    samples = model.replay_buffer.sample(200)
    # Relabelled or not, every reward is ours: equation (10) with a regulation term of 0 to 3 axes.
    distance = goal_distance(samples.next_observations["achieved_goal"], samples.next_observations["desired_goal"])
    axes = (samples.rewards.numpy()[:, 0] + GUIDED_WEIGHT * np.clip(distance, 0.0, 1.0)) / REGULATION_WEIGHT
    np.testing.assert_allclose(axes, axes.round(), atol=1e-3)
    assert set(axes.round()) <= {0, 1, 2, 3} and axes.max() > 0
    # The time limit truncates, and a truncation is no end for the critic.
    assert model.replay_buffer.timeouts.any()
    assert not samples.dones.any()
    env.close()


def test_her_relabels_goals():
    env = gymnasium.make("kprl/UR5Grasp-v1")
    model = make_sac(env)
    model.learn(START - 10)
    goals = {tuple(goal) for goal in model.replay_buffer.observations["desired_goal"][: START - 10].reshape(-1, 3)}
    sampled = [tuple(goal) for goal in model.replay_buffer.sample(300).observations["desired_goal"].numpy()]
    share = np.mean([goal not in goals for goal in sampled])
    assert 0.6 < share < 0.95  # 4 of 5
    env.close()


def test_her_without_the_infos_cannot_compute_the_reward():
    env = gymnasium.make("kprl/UR5Grasp-v1")
    with pytest.raises((KprlError, KeyError), match="regulation|copy_info_dict"):
        make_sac(env, copy_info_dict=False).learn(STEPS)
    env.close()


def test_ppo_sees_the_image_as_an_image():
    env = gymnasium.make("kprl/UR5Grasp-v1", observation="image")
    assert is_image_space(env.observation_space["image"], check_channels=True)
    model = PPO("MultiInputPolicy", env, n_steps=32, batch_size=16, n_epochs=1, seed=0, device="cpu")
    assert isinstance(model.policy.features_extractor.extractors["image"], NatureCNN)
    before = parameters(model)
    model.learn(32)
    assert (parameters(model) != before).any()
    observation, _ = env.reset(seed=0)
    action, _ = model.predict(observation, deterministic=True)
    assert env.action_space.contains(action)
    env.close()
