"""Soft Actor-Critic, eq. 7 to 9, with automatic temperature and an optional critic that sees the truth.

The actor sees [observation, desired_goal]. The critics see [privileged, desired_goal] (asymmetric
actor-critic: they never leave the simulator) or, as in the paper, what the actor sees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import nn

from kprl.errors import KprlError
from kprl.rl.flat import FlatAdam, flatten
from kprl.rl.networks import Actor, TwinCritic
from kprl.rl.normaliser import Normaliser, RunningMoments


class Batch(NamedTuple):
    """Transitions to learn from, float32, row by row."""

    observation: np.ndarray  # (B, n)
    next_observation: np.ndarray  # (B, n)
    privileged: np.ndarray  # (B, p), p = 0 where the environment gives none
    next_privileged: np.ndarray  # (B, p)
    goal: np.ndarray  # (B, g) the desired goal, relabelled or not
    action: np.ndarray  # (B, a) in [-1, 1]
    reward: np.ndarray  # (B,)
    terminated: np.ndarray  # (B,) 1 where the task itself ended; a time limit is not an end


class Sizes(NamedTuple):
    """Widths of an environment's vectors."""

    observation: int
    goal: int
    action: int
    privileged: int


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


class Sac:
    """Actor, twin critics, their targets and the temperature, with one `update` for all of them.

    Not thread-safe. Every random draw comes from `seed`.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        actor_hidden: Sequence[int] = (64, 64),
        critic_hidden: Sequence[int] = (64, 64),
        critic: Literal["privileged", "observation"] = "privileged",
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
        if critic == "privileged" and sizes.privileged == 0:
            raise KprlError(
                "critic 'privileged' needs an environment whose info holds 'privileged', and this one gives"
                " none: choose critic 'observation' or another environment"
            )
        self.sizes, self.privileged, self.gamma, self.polyak = sizes, critic == "privileged", gamma, polyak
        self.target_entropy = float(-sizes.action if target_entropy is None else target_entropy)
        self.min_log_temperature = math.log(min_temperature) if min_temperature > 0 else -math.inf
        self.actor_delay, self.updates = actor_delay, 0
        self.generator = torch.Generator().manual_seed(seed)

        actor_input = sizes.observation + sizes.goal
        critic_input = sizes.privileged + sizes.goal if self.privileged else actor_input
        # torch's layers draw from the global generator only: fork it, so that nobody else's draws change.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.actor = Actor(actor_input, sizes.action, actor_hidden, normalise)
            self.critic = TwinCritic(critic_input, sizes.action, critic_hidden)
            self.target_critic = TwinCritic(critic_input, sizes.action, critic_hidden)
        self.target_critic.load_state_dict(self.critic.state_dict())
        self.critic_normaliser = Normaliser(critic_input, normalise)
        self.actor_moments, self.critic_moments = RunningMoments(actor_input), RunningMoments(critic_input)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(initial_temperature)))

        self.flat_actor = flatten([*self.actor.parameters(), self.log_temperature])
        self.flat_critic = flatten(self.critic.parameters())
        self.flat_target = flatten(self.target_critic.parameters())
        self.actor_adam = FlatAdam(self.flat_actor, learning_rate)
        self.critic_adam = FlatAdam(self.flat_critic, learning_rate)
        # Only what is listed here receives a gradient: the critics just pass the actor's on.
        self._critic_leaves = list(self.critic.parameters())
        self._actor_leaves = [*self.actor.parameters(), self.log_temperature]

    def observe(
        self, observation: np.ndarray, privileged: np.ndarray, desired: np.ndarray, achieved: np.ndarray
    ) -> None:
        """Let the normalisation take in collected steps (N, ...); without effect where it is switched off.

        Achieved goals count as goals too: hindsight turns them into desired ones.
        """
        goals = np.concatenate([desired, achieved])
        self.actor_moments.update(np.hstack([np.tile(observation, (2, 1)), goals]))
        self.actor.normaliser.adopt(self.actor_moments)
        seen = privileged if self.privileged else observation
        self.critic_moments.update(np.hstack([np.tile(seen, (2, 1)), goals]))
        self.critic_normaliser.adopt(self.critic_moments)

    def update(self, batch: Batch) -> dict[str, torch.Tensor]:
        """One gradient step of critics, actor and temperature; metrics as 0-dim tensors, not yet fetched."""
        tensors = (torch.from_numpy(field) for field in batch)
        observation, next_observation, privileged, next_privileged, goal, action, reward, terminated = tensors
        actor_input = torch.cat([observation, goal], -1)
        next_actor_input = torch.cat([next_observation, goal], -1)
        critic_input = self._critic_input(actor_input, privileged, goal)
        next_critic_input = self._critic_input(next_actor_input, next_privileged, goal)
        temperature = self.log_temperature.detach().exp()

        with torch.no_grad():
            next_action, next_log_prob = self.actor.sample(next_actor_input, self._noise(len(action)))
            next_q = self.target_critic(next_critic_input, next_action)
            target = target_value(reward, terminated, next_q, next_log_prob, temperature, self.gamma)
        metrics = self._update_critic(critic_input, action, target)
        if self.updates % self.actor_delay == 0:
            metrics |= self._update_actor(actor_input, critic_input, temperature)
        with torch.no_grad():
            self.flat_target.lerp_(self.flat_critic, self.polyak)
        self.updates += 1
        return metrics

    def _update_critic(
        self, critic_input: torch.Tensor, action: torch.Tensor, target: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Both twins towards y_t: half the squared error, averaged over the batch, summed over the twins."""
        q = self.critic(critic_input, action)
        error = q - target
        loss = 0.5 * (error * error).sum() / len(target)
        self.critic_adam.zero_grad()
        loss.backward(inputs=self._critic_leaves)
        self.critic_adam.step()
        return {"critic_loss": loss.detach(), "q": q.detach().mean()}

    def _update_actor(
        self, actor_input: torch.Tensor, critic_input: torch.Tensor, temperature: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Ascend eq. 9, and move the temperature towards its entropy target."""
        action, log_prob = self.actor.sample(actor_input, self._noise(len(actor_input)))
        q = self.critic(critic_input, action)
        loss = (temperature * log_prob - torch.minimum(q[0], q[1])).mean()
        loss_alpha = temperature_loss(self.log_temperature, log_prob, self.target_entropy)
        self.actor_adam.zero_grad()
        (loss + loss_alpha).backward(inputs=self._actor_leaves)
        self.actor_adam.step()
        if self.min_log_temperature > -math.inf:
            self.log_temperature.data.clamp_(min=self.min_log_temperature)
        return {"actor_loss": loss.detach(), "entropy": -log_prob.detach().mean(), "temperature": temperature}

    def _critic_input(self, actor_input: torch.Tensor, privileged: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        seen = torch.cat([privileged, goal], -1) if self.privileged else actor_input
        return self.critic_normaliser(seen)

    def _noise(self, rows: int) -> torch.Tensor:
        return torch.randn(rows, self.sizes.action, generator=self.generator)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Everything that learning goes on from, as plain tensors with dotted names (for safetensors)."""
        tensors = {
            "log_temperature": self.log_temperature.detach(),
            "updates": torch.tensor(self.updates),
            "generator": self.generator.get_state(),
        }
        for name, part in self._parts().items():
            tensors |= {f"{name}.{key}": value for key, value in part.state_dict().items()}
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}

    def load_state_dict(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take over a `state_dict`; a missing or misshapen tensor is a `KprlError` that names it."""
        try:
            for name, part in self._parts().items():
                start = len(name) + 1
                part.load_state_dict({k[start:]: v for k, v in tensors.items() if k.startswith(name + ".")})
            self.log_temperature.data.copy_(tensors["log_temperature"])
            self.updates = int(tensors["updates"])
            self.generator.set_state(tensors["generator"])
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise KprlError(f"the agent's saved state does not fit this agent: {reason}") from None

    def _parts(self) -> dict[str, nn.Module | RunningMoments | FlatAdam]:
        return {
            "actor": self.actor,
            "critic": self.critic,
            "target_critic": self.target_critic,
            "critic_normaliser": self.critic_normaliser,
            "actor_moments": self.actor_moments,
            "critic_moments": self.critic_moments,
            "actor_adam": self.actor_adam,
            "critic_adam": self.critic_adam,
        }
