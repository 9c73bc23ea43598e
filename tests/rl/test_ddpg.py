"""DDPG against eq. 5 and 6 by hand, its exploration, and learning with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from goal_envs import make_point_env
from make_episodes import SIZES, random_episode
from test_loop import BRIEF, LEARNING

from kprl.rl.config import TrainPolicyConfig
from kprl.rl.ddpg import Ddpg, target_value
from kprl.rl.evaluation import evaluate
from kprl.rl.loop import train
from kprl.rl.policy import Policy, load_policy, save_policy


def test_targets_follow_equation_5() -> None:
    target = target_value(torch.tensor([-0.5, -0.5]), torch.tensor([0.0, 1.0]), torch.tensor([2.0, 2.0]), gamma=0.9)
    assert target.tolist() == pytest.approx([1.3, -0.5])  # where the task ended, the reward alone


def test_it_explores_around_its_action_and_stays_in_range() -> None:
    policy = Policy(Ddpg(SIZES, exploration_noise=0.3, seed=1).actor)
    episode = random_episode(np.random.default_rng(0))
    observation = {"observation": episode.observation[0], "desired_goal": episode.desired_goal[0]}
    greedy, rng = policy.act(observation), np.random.default_rng(1)
    drawn = np.array([policy.act(observation, deterministic=False, rng=rng) for _ in range(500)])
    assert np.abs(drawn).max() <= 1
    assert np.arctanh(drawn).mean(0) == pytest.approx(np.arctanh(greedy), abs=0.06)
    assert np.arctanh(drawn).std(0) == pytest.approx(0.3, abs=0.04)


def test_its_policy_survives_the_file(tmp_path: Path) -> None:
    policy = Policy(Ddpg(SIZES, exploration_noise=0.3, seed=1).actor)
    save_policy(policy, tmp_path / "policy.safetensors")
    x = torch.ones(1, SIZES.observation + SIZES.goal)
    for ours, theirs in zip(policy.actor(x), load_policy(tmp_path / "policy.safetensors").actor(x), strict=True):
        assert torch.equal(ours, theirs)


def test_the_target_actor_follows_slowly_and_normalises_alike() -> None:
    agent = Ddpg(SIZES, polyak=0.25, seed=2)
    old = agent.flat_target_actor.vector.clone()
    episode = random_episode(np.random.default_rng(0))
    agent.observe(episode.observation[1:], episode.privileged[1:], episode.desired_goal, episode.achieved_goal[1:])
    agent.flat_actor.vector += 1
    with torch.no_grad():
        agent.follow()
    assert torch.allclose(agent.flat_target_actor.vector, 0.75 * old + 0.25 * (old + 1), atol=1e-6)
    assert torch.equal(agent.target_actor.normaliser.scale, agent.actor.normaliser.scale)


@pytest.mark.parametrize("learner", ["inline", "process"])
def test_it_learns_to_reach(learner: str, tmp_path: Path) -> None:
    config: TrainPolicyConfig = replace(LEARNING, algo="ddpg", learner=learner, max_lag=50)
    result = train(make_point_env, config, tmp_path, show_progress=False)
    assert result.before.success_rate < 0.4
    assert evaluate(result.policy, make_point_env(), 50, seed=99).success_rate >= 0.9


def test_its_progress_shows_no_temperature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(make_point_env, replace(BRIEF, algo="ddpg"), tmp_path)
    printed = capsys.readouterr().err
    assert "return" in printed and "temperature" not in printed and "nan" not in printed.lower()
