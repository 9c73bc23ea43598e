"""The updates of SAC and DDPG against those of stable-baselines3, on the same batches from the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
import stable_baselines3
import torch
from goal_envs import point_reward
from make_episodes import SIZES, random_episode
from stable_baselines3.common.logger import configure

from kprl.rl.agent import Agent
from kprl.rl.batch import Batch, to_tensors
from kprl.rl.ddpg import Ddpg
from kprl.rl.her import hindsight_batch
from kprl.rl.networks import Actor, Critics
from kprl.rl.replay import Replay
from kprl.rl.sac import Sac

UPDATES, BATCH, LEARNING_RATE = 5, 64, 1e-3
SETTINGS: dict[str, Any] = {
    "critic": "observation", "normalise": False, "learning_rate": LEARNING_RATE, "gamma": 0.9, "polyak": 0.05
}  # fmt: skip


def batches() -> Iterator[Batch]:
    rng, replay = np.random.default_rng(0), Replay(1000, SIZES)
    for _ in range(50):
        replay.add(random_episode(rng))
    for _ in range(UPDATES):
        batch = hindsight_batch(replay, BATCH, 4, point_reward, rng)
        yield batch._replace(terminated=(rng.random(BATCH) < 0.2).astype(np.float32))


class TheirActor(torch.nn.Module):
    """Our actor behind the calls that stable-baselines3 makes; the noise comes from the test."""

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.inner, self.noises = actor, list[torch.Tensor]()
        self.optimizer = torch.optim.Adam(actor.parameters(), LEARNING_RATE)

    def action_log_prob(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.inner.sample(x, self.noises.pop(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner.greedy(x)


class TheirCritic(torch.nn.Module):
    """Our critics as a tuple of (B, 1)."""

    def __init__(self, critics: Critics) -> None:
        super().__init__()
        self.inner = critics
        self.optimizer = torch.optim.Adam(critics.parameters(), LEARNING_RATE)

    def forward(self, x: torch.Tensor, action: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(q[:, None] for q in self.inner(x, action))

    def q1_forward(self, x: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        return self(x, action)[0]


def unflat(module: Any, like: Any) -> Any:
    """A copy with parameters of its own, as stable-baselines3's optimisers expect."""
    module.load_state_dict(like.state_dict())
    return module


def peer(agent: Agent, algorithm: Any, **arguments: Any) -> Any:
    """An algorithm of stable-baselines3 with our networks inside."""
    model = algorithm("MlpPolicy", gymnasium.make("Pendulum-v1"), gamma=agent.gamma, tau=agent.polyak, device="cpu",
                      learning_rate=LEARNING_RATE, **arguments)  # fmt: skip
    inputs, actions, hidden = agent.actor.input_size, SIZES.action, agent.actor.hidden

    def actor() -> TheirActor:
        return TheirActor(unflat(Actor(inputs, actions, hidden, False, agent.actor.deviation), agent.actor))

    def critic() -> TheirCritic:
        count = len(agent.critic.biases[-1])
        return TheirCritic(unflat(Critics(inputs, actions, hidden, count), agent.critic))

    model.actor, model.critic, model.critic_target = actor(), critic(), critic()
    if hasattr(model, "actor_target"):
        model.actor_target = actor()
    model.set_logger(configure(None, []))
    return model


def give(model: Any, batch: Batch) -> None:
    """Let one gradient step of theirs learn from `batch`."""
    x, following = (
        torch.from_numpy(np.concatenate([part, batch.goal], -1)) for part in (batch.observation, batch.next_observation)
    )
    data = SimpleNamespace(
        observations=x,
        next_observations=following,
        actions=torch.from_numpy(batch.action),
        rewards=torch.from_numpy(batch.reward)[:, None],
        dones=torch.from_numpy(batch.terminated)[:, None],
        discounts=None,
    )
    model.replay_buffer = SimpleNamespace(sample=lambda size, env: data)
    model.train(1, BATCH)


def assert_same(ours: Any, theirs: Any, moved_from: dict[str, torch.Tensor]) -> None:
    for name, tensor in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[name], tensor, atol=2e-6), name
    assert any(not torch.allclose(tensor, moved_from[name], atol=1e-4) for name, tensor in ours.state_dict().items())


def test_sac_learns_what_stable_baselines3_learns() -> None:
    agent = Sac(SIZES, target_entropy=-1.0, seed=2, **SETTINGS)
    first = agent.see(to_tensors(next(batches())))
    q = agent.target_critic(first.critic_input, first.action)
    assert 0.2 < (q[0] < q[1]).float().mean() < 0.8  # so that it matters which twin is taken
    start = {name: value.clone() for name, value in agent.actor.state_dict().items()}
    start_critic = {name: value.clone() for name, value in agent.critic.state_dict().items()}
    model = peer(agent, stable_baselines3.SAC, target_entropy=agent.target_entropy)
    noise = torch.Generator().manual_seed(2)
    for batch in batches():
        following, current = (torch.randn(BATCH, SIZES.action, generator=noise) for _ in range(2))
        model.actor.noises = [current, following]  # they draw in the other order
        agent.update(batch)
        give(model, batch)
    assert_same(agent.actor, model.actor.inner, start)
    assert_same(agent.critic, model.critic.inner, start_critic)
    assert_same(agent.target_critic, model.critic_target.inner, start_critic)
    temperature = float(agent.temperature.logarithm.detach())
    assert temperature == pytest.approx(float(model.log_ent_coef.detach()), abs=1e-6) and temperature != 0


def test_ddpg_learns_what_stable_baselines3_learns() -> None:
    agent = Ddpg(SIZES, seed=3, **SETTINGS)
    # Their critic's loss is twice ours: with half of Adam's epsilon the steps are the same.
    agent.critic_adam.epsilon /= 2
    start = {name: value.clone() for name, value in agent.actor.state_dict().items()}
    start_critic = {name: value.clone() for name, value in agent.critic.state_dict().items()}
    model = peer(agent, stable_baselines3.DDPG)
    for batch in batches():
        agent.update(batch)
        give(model, batch)
    assert_same(agent.actor, model.actor.inner, start)
    assert_same(agent.target_actor, model.actor_target.inner, start)
    assert_same(agent.critic, model.critic.inner, start_critic)
    assert_same(agent.target_critic, model.critic_target.inner, start_critic)
