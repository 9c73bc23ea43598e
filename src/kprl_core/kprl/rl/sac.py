"""Soft Actor-Critic, eq. 7 to 9, with automatic temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from kprl.rl.agent import Agent, Batch, CriticInput, Seen, Sizes
from kprl.rl.flat import FlatAdam
from kprl.rl.networks import Actor, seeded
from kprl.rl.normaliser import RunningMoments


def target_value(
    reward: torch.Tensor,
    terminated: torch.Tensor,
    next_q: torch.Tensor,
    next_log_prob: torch.Tensor,
    temperature: torch.Tensor,
    gamma: float,
) -> torch.Tensor:
    """y_t of eq. 8 (B,), with the smaller of the twins' values next_q (2, B) as Q(s_{t+1}, a_{t+1})."""
    soft_value = torch.minimum(next_q[0], next_q[1]) - temperature * next_log_prob
    return reward + gamma * (1 - terminated) * soft_value


def temperature_loss(log_temperature: torch.Tensor, log_prob: torch.Tensor, target_entropy: float) -> torch.Tensor:
    """Falls when alpha rises while the entropy is below its target, and the other way round."""
    return -log_temperature * (log_prob.detach().mean() + target_entropy)


class Temperature(nn.Module):
    """The entropy weight alpha of eq. 7, learnt as its logarithm."""

    def __init__(self, initial: float, minimum: float) -> None:
        super().__init__()
        self.logarithm = nn.Parameter(torch.tensor(math.log(initial)))
        self.floor = math.log(minimum) if minimum > 0 else -math.inf

    def hold_floor(self) -> None:
        """Lift alpha to its minimum."""
        if self.floor > -math.inf:
            self.logarithm.data.clamp_(min=self.floor)


class Sac(Agent):
    """A stochastic actor, twin critics with their targets, and the temperature."""

    def __init__(
        self,
        sizes: Sizes,
        *,
        actor_hidden: Sequence[int] = (64, 64),
        critic_hidden: Sequence[int] = (64, 64),
        critic: CriticInput = "privileged",
        normalise: bool = True,
        learning_rate: float = 3e-4,
        gamma: float = 0.96,
        polyak: float = 0.005,
        initial_temperature: float = 1.0,
        min_temperature: float = 0.0,
        target_entropy: float | None = None,
        actor_delay: int = 1,
        seed: int = 0,
    ) -> None:
        self.target_entropy = float(-sizes.action if target_entropy is None else target_entropy)
        self.actor_delay = actor_delay
        self.temperature = Temperature(initial_temperature, min_temperature)
        with seeded(seed):
            super().__init__(
                sizes,
                Actor(sizes.observation + sizes.goal, sizes.action, actor_hidden, normalise),
                critics=2,
                critic_hidden=critic_hidden,
                critic=critic,
                learning_rate=learning_rate,
                polyak=polyak,
                gamma=gamma,
                seed=seed,
                learnt_with_actor=[self.temperature.logarithm],
            )

    def update(self, batch: Batch) -> dict[str, torch.Tensor]:
        """One gradient step of critics, actor and temperature."""
        seen = self.see(batch)
        temperature = self.temperature.logarithm.detach().exp()
        with torch.no_grad():
            next_action, next_log_prob = self.actor.sample(seen.next_actor_input, self._noise(seen))
            next_q = self.target_critic(seen.next_critic_input, next_action)
            target = target_value(seen.reward, seen.terminated, next_q, next_log_prob, temperature, self.gamma)
        metrics = self.fit_critics(seen, target)
        if self.updates % self.actor_delay == 0:
            metrics |= self._update_actor(seen, temperature)
        self.follow()
        return metrics

    def _update_actor(self, seen: Seen, temperature: torch.Tensor) -> dict[str, torch.Tensor]:
        """Ascend eq. 9, and move the temperature towards its entropy target."""
        action, log_prob = self.actor.sample(seen.actor_input, self._noise(seen))
        q = self.critic(seen.critic_input, action)
        loss = (temperature * log_prob - torch.minimum(q[0], q[1])).mean()
        self.step_actor(loss + temperature_loss(self.temperature.logarithm, log_prob, self.target_entropy))
        self.temperature.hold_floor()
        return {"actor_loss": loss.detach(), "entropy": -log_prob.detach().mean(), "temperature": temperature}

    def _noise(self, seen: Seen) -> torch.Tensor:
        return torch.randn(seen.action.shape, generator=self.generator)

    def parts(self) -> dict[str, nn.Module | RunningMoments | FlatAdam]:
        """See `Agent.parts`."""
        return {**super().parts(), "temperature": self.temperature}
