"""The Gymnasium environments: the checker's rules, seeds, presets, and who sees the truth."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from kprl.envs import ENVIRONMENTS
from kprl.errors import KprlError
from kprl.tasks import TASKS


class CentreEncoder:
    """Stands in for a network: keypoints from the picture's brightness, so that they change with it."""

    num_keypoints = 5

    def encode(self, images: np.ndarray) -> np.ndarray:
        level = images.reshape(len(images), -1).mean(axis=1) / 255.0
        return np.tile(level[:, None, None], (1, self.num_keypoints, 3)).astype(np.float32)


PRESETS = [("state", {}), ("keypoints", {"encoder": CentreEncoder()}), ("image", {})]
VARIANTS = [
    (name, {"scene": scene, "object": thing})
    for task, name in ENVIRONMENTS.items()
    for scene in TASKS[task].scenes
    for thing in ("cube", "gear")
]


@pytest.mark.parametrize(("preset", "options"), PRESETS)
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
@pytest.mark.filterwarnings("error", "ignore:.*Box observation space (minimum|maximum) value is")  # metres, unbounded
def test_check_env(name, variant, preset, options):
    env = gymnasium.make(name, observation=preset, **variant, **options)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def episode(env: gymnasium.Env, seed: int = 11, steps: int = 20) -> tuple[list[dict], list[float]]:
    """All observations and rewards of an episode of random actions, and the first observation of the next one."""
    actions = np.random.default_rng(0).uniform(-1, 1, (steps, 4)).astype(np.float32)
    observations, rewards = [env.reset(seed=seed)[0]], []
    for action in actions:
        observation, reward, *_ = env.step(action)
        observations.append(observation)
        rewards.append(reward)
    return [*observations, env.reset()[0]], rewards  # the seed also decides the episodes after it


@pytest.mark.parametrize(("preset", "options"), PRESETS)
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_a_seed_decides_everything(name, variant, preset, options):
    env = gymnasium.make(name, observation=preset, **variant, **options)
    (one, first), (other, second) = episode(env), episode(env)
    assert first == second
    for mine, theirs in zip(one, other, strict=True):
        assert all(np.array_equal(mine[key], theirs[key]) for key in mine)
    env.close()


def digest(name: str) -> str:
    """Fingerprint of every bit of an episode's images, states and rewards."""
    env = gymnasium.make(name, observation="image")
    observations, rewards = episode(env)
    env.close()
    hashed = hashlib.sha256(np.array(rewards).tobytes())
    for observation in observations:
        for key in sorted(observation):
            hashed.update(observation[key].tobytes())
    return hashed.hexdigest()


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS.values()))
def test_another_process_sees_the_same_bits(name):
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    code += f"from test_manipulation import digest; print(digest({name!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split()[-1] == digest(name)


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
    env = gymnasium.make("kprl/UR5Grasp-v1", observation="keypoints", encoder=CentreEncoder(), randomization="none")
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
