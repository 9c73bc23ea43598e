"""Soft Actor-Critic, eq. 7 to 9, with automatic temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.func import functional_call

from kprl.errors import KprlError
from kprl.rl.agent import CPU, Agent, CriticInput, Seen, Sizes, descend
from kprl.rl.batch import Batch, Draws, Metrics
from kprl.rl.flat import FlatAdam, Named
from kprl.rl.networks import Actor, TaughtActor, seeded, squash
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
        critic: CriticInput = "goal_relative",
        normalise: bool = True,
        learning_rate: float = 3e-4,
        gamma: float = 0.96,
        polyak: float = 0.005,
        initial_temperature: float = 1.0,
        min_temperature: float = 0.0,
        target_entropy: float | None = None,
        estimation: float = 0.0,
        actor_delay: int = 1,
        seed: int = 0,
        compile: bool = False,
        device: torch.device = CPU,
    ) -> None:
        self.target_entropy = float(-sizes.action if target_entropy is None else target_entropy)
        self.actor_delay, self.estimation = actor_delay, estimation
        self.temperature = Temperature(initial_temperature, min_temperature)
        if estimation and critic == "observation":
            raise KprlError(
                f"estimation is {estimation:g}, but the critic sees no truth: choose critic 'goal_relative', or 0"
            )
        with seeded(seed):
            actor = Actor(sizes.observation + sizes.goal, sizes.action, actor_hidden, normalise)
            self.taught = TaughtActor(actor, sizes.privileged if estimation else 0)
            super().__init__(
                sizes,
                actor,
                critics=2,
                critic_hidden=critic_hidden,
                critic=critic,
                learning_rate=learning_rate,
                polyak=polyak,
                gamma=gamma,
                seed=seed,
                compile=compile,
                device=device,
                taught=self.taught,
                learnt_with_actor=[self.temperature],
            )

    def step(self, batch: Batch[torch.Tensor], draws: Draws) -> Metrics:
        """One gradient step of critics, actor and temperature."""
        seen = self.see(batch)
        temperature = self.temperature.logarithm.exp()
        next_action, next_log_prob = self.actor.sample(seen.next_actor_input, draws.next_noise)
        next_q = self.target_critic(seen.next_critic_input, next_action)
        target = target_value(seen.reward, seen.terminated, next_q, next_log_prob, temperature, self.gamma)
        metrics = self.fit_critics(seen, target, draws.critic_scales)
        if draws.actor_scales is not None:
            metrics |= self._improve_actor(seen, temperature, draws.noise, draws.actor_scales)
        self.follow()
        return metrics

    def _improve_actor(
        self, seen: Seen, temperature: torch.Tensor, noise: torch.Tensor, scales: torch.Tensor
    ) -> Metrics:
        """Ascend eq. 9, move the temperature towards its entropy target, and learn to tell the truth if asked to."""

        def loss_of(learning: list[Named]) -> tuple[torch.Tensor, Metrics]:
            actor, entropy_weight = learning
            mean, log_std, estimate = functional_call(self.taught, actor, (seen.actor_input,))
            action, log_prob = squash(mean, log_std, noise)
            q = self.critic(seen.critic_input, action)
            loss = (temperature * log_prob - torch.minimum(q[0], q[1])).mean()
            metrics = {"actor_loss": loss.detach(), "entropy": -log_prob.detach().mean(), "temperature": temperature}
            loss = loss + temperature_loss(entropy_weight["logarithm"], log_prob, self.target_entropy)
            if estimate is not None:
                truth = seen.critic_input[:, : self.sizes.privileged]  # normalised
                loss = loss + self.estimation * (estimate - truth).square().mean()
            return loss, metrics

        metrics = descend(loss_of, self.flat_actor, self.actor_adam, scales)
        self.temperature.hold_floor()
        return metrics

    def parts(self) -> dict[str, nn.Module | RunningMoments | FlatAdam]:
        """See `Agent.parts`."""
        parts = {**super().parts(), "temperature": self.temperature}
        return parts if self.taught.estimator is None else {**parts, "estimator": self.taught.estimator}
