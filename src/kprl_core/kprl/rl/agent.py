"""What any off-policy actor-critic of the paper is made of: networks, targets, normalisation, optimisers, state.

The actor sees [observation, desired_goal]. The critics see [privileged, desired_goal] (asymmetric
actor-critic: they never leave the simulator) or, as in the paper, what the actor sees.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import nn

from kprl.errors import KprlError
from kprl.rl.flat import FlatAdam, flatten
from kprl.rl.networks import Actor, Critics
from kprl.rl.normaliser import Normaliser, RunningMoments

CriticInput = Literal["privileged", "observation"]


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


class Seen(NamedTuple):
    """A batch as the networks take it: tensors, joined with the goal, the critics' normalised."""

    actor_input: torch.Tensor  # (B, n + g)
    next_actor_input: torch.Tensor
    critic_input: torch.Tensor  # (B, p + g) or (B, n + g)
    next_critic_input: torch.Tensor
    action: torch.Tensor  # (B, a)
    reward: torch.Tensor  # (B,)
    terminated: torch.Tensor  # (B,)


class Sizes(NamedTuple):
    """Widths of an environment's vectors."""

    observation: int
    goal: int
    action: int
    privileged: int


class Agent(ABC):
    """Actor, critics and target critics, with one `update` for all of them in the subclasses.

    Not thread-safe. Every random draw comes from `seed`.
    """

    actor_delay: int  # critic updates for each update of the actor

    def __init__(
        self,
        sizes: Sizes,
        actor: Actor,
        critics: int,
        *,
        critic_hidden: Sequence[int],
        critic: CriticInput,
        learning_rate: float,
        polyak: float,
        gamma: float,
        seed: int,
        learnt_with_actor: Sequence[nn.Parameter] = (),
    ) -> None:
        """`critics`: how many Q-functions; `learnt_with_actor`: what else the actor's optimiser moves."""
        if critic == "privileged" and sizes.privileged == 0:
            raise KprlError(
                "critic 'privileged' needs an environment whose info holds 'privileged', and this one gives"
                " none: choose critic 'observation' or another environment"
            )
        self.sizes, self.privileged, self.polyak, self.gamma = sizes, critic == "privileged", polyak, gamma
        self.updates = 0
        self.generator = torch.Generator().manual_seed(seed)
        self.actor = actor
        critic_size = sizes.privileged + sizes.goal if self.privileged else actor.input_size
        self.critic = Critics(critic_size, sizes.action, critic_hidden, critics)
        self.target_critic = Critics(critic_size, sizes.action, critic_hidden, critics)
        self.target_critic.load_state_dict(self.critic.state_dict())
        self.critic_normaliser = Normaliser(critic_size, actor.normaliser.enabled)
        self.actor_moments, self.critic_moments = RunningMoments(actor.input_size), RunningMoments(critic_size)

        # Only what is listed here receives a gradient: the critics just pass the actor's on.
        self._actor_leaves = [*self.actor.parameters(), *learnt_with_actor]
        self._critic_leaves = list(self.critic.parameters())
        self.flat_actor, self.flat_critic = flatten(self._actor_leaves), flatten(self._critic_leaves)
        self.flat_target = flatten(self.target_critic.parameters())
        self.actor_adam = FlatAdam(self.flat_actor, learning_rate)
        self.critic_adam = FlatAdam(self.flat_critic, learning_rate)

    @abstractmethod
    def update(self, batch: Batch) -> dict[str, torch.Tensor]:
        """One gradient step on a batch; metrics as 0-dim tensors, not yet fetched."""

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

    def see(self, batch: Batch) -> Seen:
        """Join, normalise and convert a batch."""
        tensors = (torch.from_numpy(field) for field in batch)
        observation, next_observation, privileged, next_privileged, goal, action, reward, terminated = tensors
        actor_input = torch.cat([observation, goal], -1)
        next_actor_input = torch.cat([next_observation, goal], -1)
        if self.privileged:
            critic_input = torch.cat([privileged, goal], -1)
            next_critic_input = torch.cat([next_privileged, goal], -1)
        else:
            critic_input, next_critic_input = actor_input, next_actor_input
        normalise = self.critic_normaliser
        return Seen(
            actor_input, next_actor_input, normalise(critic_input), normalise(next_critic_input), action, reward,
            terminated,
        )  # fmt: skip

    def fit_critics(self, seen: Seen, target: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each Q towards y_t (B,): half the squared error, averaged over the batch, summed over the critics."""
        q = self.critic(seen.critic_input, seen.action)
        error = q - target
        loss = 0.5 * (error * error).sum() / len(target)
        self.critic_adam.zero_grad()
        loss.backward(inputs=self._critic_leaves)
        self.critic_adam.step()
        return {"critic_loss": loss.detach(), "q": q.detach().mean()}

    def step_actor(self, loss: torch.Tensor) -> None:
        """Move the actor, and what is learnt with it, against the gradient of `loss`."""
        self.actor_adam.zero_grad()
        loss.backward(inputs=self._actor_leaves)
        self.actor_adam.step()

    def follow(self) -> None:
        """Let the target critics take `polyak` of the critics, and count the update."""
        with torch.no_grad():
            self.flat_target.lerp_(self.flat_critic, self.polyak)
        self.updates += 1

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Everything that learning goes on from, as plain tensors with dotted names (for safetensors)."""
        tensors = {"updates": torch.tensor(self.updates), "generator": self.generator.get_state()}
        for name, part in self.parts().items():
            tensors |= {f"{name}.{key}": value for key, value in part.state_dict().items()}
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}

    def load_state_dict(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take over a `state_dict`; a missing or misshapen tensor is a `KprlError` that names it."""
        try:
            for name, part in self.parts().items():
                start = len(name) + 1
                part.load_state_dict({k[start:]: v for k, v in tensors.items() if k.startswith(name + ".")})
            self.updates = int(tensors["updates"])
            self.generator.set_state(tensors["generator"])
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise KprlError(f"the agent's saved state does not fit this agent: {reason}") from None

    def parts(self) -> dict[str, nn.Module | RunningMoments | FlatAdam]:
        """What a checkpoint holds, by name."""
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
