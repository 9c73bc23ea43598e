"""The Gymnasium environments: the checker's rules, seeds, presets, and who sees the truth."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import kprl.envs  # noqa: F401  (registers)
from kprl.errors import KprlError


class CentreEncoder:
    """Stands in for a network: keypoints from the picture's brightness, so that they change with it."""

    num_keypoints = 5

    def encode(self, images: np.ndarray) -> np.ndarray:
        level = images.reshape(len(images), -1).mean(axis=1) / 255.0
        return np.tile(level[:, None, None], (1, self.num_keypoints, 3)).astype(np.float32)


PRESETS = [("state", {}), ("keypoints", {"encoder": CentreEncoder()}), ("image", {})]


@pytest.mark.parametrize(("preset", "options"), PRESETS)
def test_check_env(preset, options):
    env = gymnasium.make("kprl/UR5Grasp-v1", observation=preset, **options)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


@pytest.mark.parametrize(("preset", "options"), PRESETS)
def test_a_seed_decides_everything(preset, options):
    env = gymnasium.make("kprl/UR5Grasp-v1", observation=preset, **options)
    actions = np.random.default_rng(0).uniform(-1, 1, (20, 4)).astype(np.float32)

    def episode() -> list:
        steps = [env.reset(seed=11)[0]]
        rewards = []
        for action in actions:
            observation, reward, *_ = env.step(action)
            steps.append(observation)
            rewards.append(reward)
        second, _ = env.reset()  # the seed also decides the episodes after it
        return [*steps, second, rewards]

    for one, other in zip(episode(), episode(), strict=True):
        if isinstance(one, dict):
            assert all(np.array_equal(one[key], other[key]) for key in one)
        else:
            assert one == other
    env.close()


def test_episodes_are_truncated_never_terminated():
    env = gymnasium.make("kprl/UR5Grasp-v1")
    env.reset(seed=0)
    ends = [env.step(np.zeros(4, np.float32))[2:4] for _ in range(50)]
    assert ends == [(False, False)] * 49 + [(False, True)]
    env.close()


def test_reward_agrees_with_compute_reward():
    env = gymnasium.make("kprl/UR5Grasp-v1")
    env.reset(seed=0)
    observation, reward, _, _, info = env.step(np.array([0.3, -0.2, -1, -1], np.float32))
    assert reward == env.unwrapped.compute_reward(observation["achieved_goal"], observation["desired_goal"], info)
    env.close()


def test_the_policy_sees_no_truth_with_keypoints():
    env = gymnasium.make("kprl/UR5Grasp-v1", observation="keypoints", encoder=CentreEncoder(), randomize=False)
    observation, info = env.reset(seed=0)
    assert observation["observation"].shape == (2 * 5 + 4,)
    position = observation["achieved_goal"]
    relative = info["privileged"][4:7]
    for hidden in (*position[:2], *relative[:2]):
        assert not np.isclose(observation["observation"], hidden, atol=1e-6).any()
    env.close()


def test_wrong_arguments_are_named():
    with pytest.raises(KprlError, match="unknown observation preset 'smell': choose one of image, keypoints, state"):
        gymnasium.make("kprl/UR5Grasp-v1", observation="smell")
    with pytest.raises(KprlError, match="needs an encoder"):
        gymnasium.make("kprl/UR5Grasp-v1", observation="keypoints")
