"""What any off-policy actor-critic of the paper is made of: networks, targets, normalisation, optimisers, state.

The actor sees [observation, desired_goal]. The critics see [privileged, desired_goal] (asymmetric actor-critic: they
never leave the simulator), with or without the way from the achieved goal, or, as in the paper, what the actor sees.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad_and_value

from kprl.errors import KprlError
from kprl.rl.batch import Batch, Draws, Metrics, to_tensors
from kprl.rl.compilation import compiled
from kprl.rl.cuda_graph import CudaStep
from kprl.rl.flat import Flat, FlatAdam, Named
from kprl.rl.networks import Actor, Critics
from kprl.rl.normaliser import Normaliser, RunningMoments

CPU = torch.device("cpu")
CriticInput = Literal["goal_relative", "privileged", "observation"]
"""`goal_relative`: `privileged`, and the vector from the achieved to the desired goal with its length."""


class Seen(NamedTuple):
    """A batch as the networks take it: tensors, joined with the goal, the critics' normalised."""

    actor_input: torch.Tensor  # (B, n + g)
    next_actor_input: torch.Tensor
    critic_input: torch.Tensor  # (B, c), see `Agent.critic_view`
    next_critic_input: torch.Tensor
    action: torch.Tensor  # (B, a)
    reward: torch.Tensor  # (B,)
    terminated: torch.Tensor  # (B,)


LossOf = Callable[[list[Named]], tuple[torch.Tensor, Metrics]]
"""Parameters of each module that learns -> the loss (), and what to report."""


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
        compile: bool,
        device: torch.device,
        taught: nn.Module | None = None,
        learnt_with_actor: Sequence[nn.Module] = (),
    ) -> None:
        """`critics`: how many Q-functions. The actor's optimiser moves `taught`, which has the actor in it, and
        `learnt_with_actor`; without them the actor alone."""
        if critic != "observation" and sizes.privileged == 0:
            raise KprlError(
                f"critic '{critic}' needs an environment whose info holds 'privileged', and this one gives"
                " none: choose critic 'observation' or another environment"
            )
        self.sizes, self.critic_sees, self.polyak, self.gamma = sizes, critic, polyak, gamma
        self.updates, self.device = 0, device
        self.generator = torch.Generator().manual_seed(seed)
        self.actor = actor.to(device)
        critic_size = (sizes.observation if critic == "observation" else sizes.privileged) + sizes.goal
        if critic == "goal_relative":
            critic_size += sizes.goal + 1
        self.critic = Critics(critic_size, sizes.action, critic_hidden, critics).to(device)
        self.target_critic = Critics(critic_size, sizes.action, critic_hidden, critics).to(device)
        self.target_critic.load_state_dict(self.critic.state_dict())
        self.critic_normaliser = Normaliser(critic_size, actor.normaliser.enabled).to(device)
        self.actor_moments, self.critic_moments = RunningMoments(actor.input_size), RunningMoments(critic_size)

        moved = [taught or self.actor, *learnt_with_actor]
        self.flat_actor, self.flat_critic = Flat(*(module.to(device) for module in moved)), Flat(self.critic)
        self.flat_target = Flat(self.target_critic)
        self.actor_adam = FlatAdam(self.flat_actor.vector, learning_rate)
        self.critic_adam = FlatAdam(self.flat_critic.vector, learning_rate)
        self._step = compiled(self.step) if compile else self.step
        self._cuda_step = CudaStep(self._step, device) if device.type == "cuda" else None

    def update(self, batch: Batch[np.ndarray]) -> Metrics:
        """One gradient step on a batch; metrics as 0-dim tensors, not yet fetched."""
        following, current = (torch.randn(batch.action.shape, generator=self.generator) for _ in range(2))
        moves_actor = self.updates % self.actor_delay == 0
        scales = self.critic_adam.begin(), self.actor_adam.begin() if moves_actor else None
        draws = Draws(following, current, *scales)
        with torch.no_grad():  # gradients are asked for where they are needed, by `descend`
            if self._cuda_step:
                metrics = self._cuda_step(batch, draws)
            else:
                metrics = self._step(to_tensors(batch), draws)
        self.updates += 1
        return metrics

    @abstractmethod
    def step(self, batch: Batch[torch.Tensor], draws: Draws) -> Metrics:
        """One gradient step of everything that learns. Changes tensors only, and draws nothing: it is compiled."""

    def observe(
        self, observation: np.ndarray, privileged: np.ndarray, desired: np.ndarray, achieved: np.ndarray
    ) -> None:
        """Let the normalisation take in collected steps (N, ...); without effect where it is switched off.

        Achieved goals count as goals too: hindsight turns them into desired ones.
        """
        goals = np.concatenate([desired, achieved])
        self.actor_moments.update(np.hstack([np.tile(observation, (2, 1)), goals]))
        self.actor.normaliser.adopt(self.actor_moments)
        seen, truth, reached = (torch.from_numpy(np.tile(part, (2, 1))) for part in (observation, privileged, achieved))
        self.critic_moments.update(self.critic_view(seen, truth, reached, torch.from_numpy(goals)).numpy())
        self.critic_normaliser.adopt(self.critic_moments)

    def critic_view(
        self, observation: torch.Tensor, privileged: torch.Tensor, achieved: torch.Tensor, goal: torch.Tensor
    ) -> torch.Tensor:
        """What the critics see of states and goals (B, ...), not normalised (B, c).

        The reward is little else than the length of the way to the goal: given it, a critic need not learn to
        subtract and to take a root before it can tell near from far.
        """
        if self.critic_sees == "observation":
            return torch.cat([observation, goal], -1)
        if self.critic_sees == "privileged":
            return torch.cat([privileged, goal], -1)
        way = goal - achieved
        return torch.cat([privileged, goal, way, torch.linalg.vector_norm(way, dim=-1, keepdim=True)], -1)

    def see(self, batch: Batch[torch.Tensor]) -> Seen:
        """Join and normalise a batch."""
        actor_input = torch.cat([batch.observation, batch.goal], -1)
        next_actor_input = torch.cat([batch.next_observation, batch.goal], -1)
        critic_input = self.critic_view(batch.observation, batch.privileged, batch.achieved, batch.goal)
        next_critic_input = self.critic_view(
            batch.next_observation, batch.next_privileged, batch.next_achieved, batch.goal
        )
        normalise = self.critic_normaliser
        return Seen(
            actor_input, next_actor_input, normalise(critic_input), normalise(next_critic_input), batch.action,
            batch.reward, batch.terminated,
        )  # fmt: skip

    def fit_critics(self, seen: Seen, target: torch.Tensor, scales: torch.Tensor) -> Metrics:
        """Each Q towards y_t (B,): half the squared error, averaged over the batch, summed over the critics."""

        def loss_of(learning: list[Named]) -> tuple[torch.Tensor, Metrics]:
            q = functional_call(self.critic, learning[0], (seen.critic_input, seen.action))
            error = q - target
            loss = 0.5 * (error * error).sum() / len(target)
            return loss, {"critic_loss": loss.detach(), "q": q.detach().mean()}

        return descend(loss_of, self.flat_critic, self.critic_adam, scales)

    def follow(self) -> None:
        """Let the target critics take `polyak` of the critics."""
        self.flat_target.vector.lerp_(self.flat_critic.vector, self.polyak)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Everything that learning goes on from, as plain tensors with dotted names (for safetensors)."""
        tensors = {"updates": torch.tensor(self.updates), "generator": self.generator.get_state()}
        for name, part in self.parts().items():
            tensors |= {f"{name}.{key}": value for key, value in part.state_dict().items()}
        return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}

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


def descend(loss_of: LossOf, flat: Flat, adam: FlatAdam, scales: torch.Tensor) -> Metrics:
    """Move `flat`, which `adam` optimises, against the gradient of a loss; what the loss reports."""
    gradients, (_, metrics) = grad_and_value(loss_of, has_aux=True)(flat.views(flat.vector))
    # Of each parameter and joined here: derived through the views, each would be a whole vector of zeros but for one.
    adam.step(torch.cat([part.reshape(-1) for named in gradients for part in named.values()]), scales)
    return metrics
