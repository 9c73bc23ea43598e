"""Deep Deterministic Policy Gradient, eq. 4 to 6: one critic, a deterministic actor, and targets of both."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn
from torch.func import functional_call

from kprl.rl.agent import CPU, Agent, CriticInput, Seen, Sizes, descend
from kprl.rl.batch import Batch, Draws, Metrics
from kprl.rl.flat import Flat, FlatAdam, Named
from kprl.rl.networks import Actor, seeded
from kprl.rl.normaliser import RunningMoments


def target_value(reward: torch.Tensor, terminated: torch.Tensor, next_q: torch.Tensor, gamma: float) -> torch.Tensor:
    """y_t of eq. 5 (B,), with next_q (B,) as Q(s_{t+1}, pi(s_{t+1})) of the target networks."""
    return reward + gamma * (1 - terminated) * next_q


class Ddpg(Agent):
    """A deterministic actor that explores with Gaussian noise before its tanh, and one critic."""

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
        exploration_noise: float = 0.2,
        actor_delay: int = 1,
        seed: int = 0,
        compile: bool = False,
        device: torch.device = CPU,
    ) -> None:
        self.actor_delay = actor_delay
        inputs = sizes.observation + sizes.goal
        with seeded(seed):
            super().__init__(
                sizes,
                Actor(inputs, sizes.action, actor_hidden, normalise, deviation=exploration_noise),
                critics=1,
                critic_hidden=critic_hidden,
                critic=critic,
                learning_rate=learning_rate,
                polyak=polyak,
                gamma=gamma,
                seed=seed,
                compile=compile,
                device=device,
            )
        self.target_actor = copy.deepcopy(self.actor)
        self.flat_target_actor = Flat(self.target_actor)

    def step(self, batch: Batch[torch.Tensor], draws: Draws) -> Metrics:
        """One gradient step of critic and actor."""
        seen = self.see(batch)
        next_action = self.target_actor.greedy(seen.next_actor_input)
        next_q = self.target_critic(seen.next_critic_input, next_action)[0]
        target = target_value(seen.reward, seen.terminated, next_q, self.gamma)
        metrics = self.fit_critics(seen, target, draws.critic_scales)
        if draws.actor_scales is not None:
            metrics |= self._improve_actor(seen, draws.actor_scales)
        self.follow()
        return metrics

    def _improve_actor(self, seen: Seen, scales: torch.Tensor) -> Metrics:
        """Ascend eq. 6: the chain rule through the critic is what autograd does."""

        def loss_of(learning: list[Named]) -> tuple[torch.Tensor, Metrics]:
            mean, _ = functional_call(self.actor, learning[0], (seen.actor_input,))
            loss = -self.critic(seen.critic_input, torch.tanh(mean)).mean()
            return loss, {"actor_loss": loss.detach()}

        return descend(loss_of, self.flat_actor, self.actor_adam, scales)

    def follow(self) -> None:
        """See `Agent.follow`; the target actor follows too, and shares the actor's normalisation."""
        self.flat_target_actor.vector.lerp_(self.flat_actor.vector, self.polyak)
        self.target_actor.normaliser.scale.copy_(self.actor.normaliser.scale)
        self.target_actor.normaliser.shift.copy_(self.actor.normaliser.shift)
        super().follow()

    def parts(self) -> dict[str, nn.Module | RunningMoments | FlatAdam]:
        """See `Agent.parts`."""
        return {**super().parts(), "target_actor": self.target_actor}
