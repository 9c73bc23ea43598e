"""Policies as files: safetensors and ONNX say what torch says; damage is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from make_episodes import SIZES, random_episode

from kprl.errors import KprlError
from kprl.rl.networks import Actor
from kprl.rl.policy import Policy, load_policy, save_policy
from kprl.rl.policy_export import INPUT, OUTPUT, export_onnx
from kprl.rl.sac import Sac


@pytest.fixture(params=[True, False], ids=["normalised", "raw"])
def policy(request: pytest.FixtureRequest) -> Policy:
    agent = Sac(SIZES, normalise=request.param, actor_hidden=(32, 16), seed=1)
    episode = random_episode(np.random.default_rng(0))
    agent.observe(episode.observation[1:] * 3, episode.privileged[1:], episode.desired_goal, episode.achieved_goal[1:])
    return Policy(agent.actor)


def observations(count: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    return [
        {
            "observation": rng.normal(size=SIZES.observation).astype(np.float32),
            "desired_goal": rng.normal(size=SIZES.goal).astype(np.float32),
            "achieved_goal": np.zeros(SIZES.goal, np.float32),
        }
        for _ in range(count)
    ]


def test_onnx_equals_torch(policy: Policy, tmp_path: Path) -> None:
    assert export_onnx(policy, tmp_path / "policy.onnx") < 1e-5
    session = onnxruntime.InferenceSession(tmp_path / "policy.onnx", providers=["CPUExecutionProvider"])
    for observation in observations(20):
        x = np.concatenate([observation["observation"], observation["desired_goal"]])[None]
        (action,) = session.run([OUTPUT], {INPUT: x})
        assert np.allclose(action[0], policy.act(observation), atol=1e-5)
        assert np.abs(action).max() <= 1
    assert [path.name for path in tmp_path.iterdir()] == ["policy.onnx"]


def test_an_export_that_differs_is_refused(policy: Policy, tmp_path: Path) -> None:
    with torch.no_grad():
        next(policy.actor.parameters()).fill_(float("nan"))
    with pytest.raises(KprlError, match="differs from torch"):
        export_onnx(policy, tmp_path / "policy.onnx")
    assert not list(tmp_path.iterdir())


def test_safetensors_round_trip(policy: Policy, tmp_path: Path) -> None:
    save_policy(policy, tmp_path / "policy.safetensors")
    loaded = load_policy(tmp_path / "policy.safetensors")
    for observation in observations(5):
        assert np.array_equal(loaded.act(observation), policy.act(observation))


def test_weights_carry_the_normalisation(policy: Policy) -> None:
    actor = policy.actor
    other = Policy(Actor(actor.input_size, actor.action_size, actor.hidden, actor.normaliser.enabled))
    other.load_weights(actor.weights().numpy())
    for observation in observations(5):
        assert np.array_equal(other.act(observation), policy.act(observation))


def test_sampling_spreads_around_the_greedy_action(policy: Policy) -> None:
    observation = observations(1)[0]
    rng = np.random.default_rng(2)
    drawn = np.stack([policy.act(observation, deterministic=False, rng=rng) for _ in range(200)])
    assert drawn.std(0).min() > 0.05 and np.abs(drawn).max() <= 1
    assert np.abs(np.median(drawn, 0) - policy.act(observation)).max() < 0.3


def test_bad_files_are_refused_in_words(policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    with pytest.raises(KprlError, match="does not exist"):
        load_policy(path)
    save_policy(policy, path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(KprlError, match="is damaged"):
        load_policy(path)
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(KprlError, match="expected kprl-policy-1"):
        load_policy(path)
