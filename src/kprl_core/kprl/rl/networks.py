"""The two networks of section III-C2: a tanh-Gaussian actor, and critics, with layer normalisation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from kprl.rl.normaliser import Normaliser

LOG_STD_RANGE = (-20.0, 2.0)
HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
LOG_TWO = math.log(2.0)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Networks made inside draw from `seed`; nobody else's draws change (torch's layers know one generator only)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


class Actor(nn.Module):
    """pi(a | s): the mean and log deviation of a Gaussian that tanh squashes into [-1, 1].

    Its input is [observation, desired_goal], as it comes from the environment: the normalisation is inside,
    so that the actor alone is everything that deployment needs. With a `deviation` it learns the mean alone.
    """

    def __init__(
        self,
        input_size: int,
        action_size: int,
        hidden: Sequence[int],
        normalise: bool,
        deviation: float | None = None,
    ) -> None:
        super().__init__()
        self.input_size, self.action_size, self.hidden = input_size, action_size, tuple(hidden)
        self.deviation = deviation
        self.normaliser = Normaliser(input_size, normalise)
        layers: list[nn.Module] = []
        size = input_size
        for width in hidden:
            layers += [nn.Linear(size, width), nn.LayerNorm(width), nn.ReLU()]
            size = width
        self.layers = nn.Sequential(*layers, nn.Linear(size, action_size * (2 if deviation is None else 1)))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x (B, input_size) -> mean (B, A) and log deviation (B, A), both before tanh."""
        return self.head(self.features(x))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, input_size) -> the last hidden layer (B, hidden[-1])."""
        return self.layers[:-1](self.normaliser(x))

    def head(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The last hidden layer (B, hidden[-1]) -> what `forward` returns."""
        out = self.layers[-1](features)
        if self.deviation is not None:
            return out, torch.full_like(out, math.log(self.deviation))
        mean, log_std = out.chunk(2, -1)
        return mean, log_std.clamp(*LOG_STD_RANGE)

    def greedy(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, input_size) -> the action without noise, tanh(mean) (B, A)."""
        return torch.tanh(self(x)[0])

    def sample(self, x: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The action a(s, xi) of eq. 9 for standard normal xi (B, A): action (B, A), log pi(a | s) (B,)."""
        mean, log_std = self(x)
        return squash(mean, log_std, noise)

    def weights(self) -> torch.Tensor:
        """Everything that acting needs as one vector: parameters, then the normalisation."""
        parts = [parameter.detach().reshape(-1) for parameter in self.parameters()]
        return torch.cat([*parts, self.normaliser.scale, self.normaliser.shift]).cpu()

    def load_weights(self, vector: torch.Tensor) -> None:
        """Take over the vector that another actor of the same shape gave."""
        tensors = [*self.parameters(), self.normaliser.scale, self.normaliser.shift]
        with torch.no_grad():
            for tensor, part in zip(tensors, vector.split([t.numel() for t in tensors]), strict=True):
                tensor.copy_(part.view_as(tensor))


class TaughtActor(nn.Module):
    """An actor while it learns: its last hidden layer must also tell the simulator's truth, if there are `truths`.

    The estimate serves to form the hidden layers, and is not part of the policy.
    """

    def __init__(self, actor: Actor, truths: int) -> None:
        super().__init__()
        self.actor = actor
        self.estimator = nn.Linear(actor.hidden[-1], truths) if truths else None

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """x (B, input_size) -> mean, log deviation (B, A), and estimate (B, truths) or None."""
        features = self.actor.features(x)
        return *self.actor.head(features), None if self.estimator is None else self.estimator(features)


def squash(mean: torch.Tensor, log_std: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """tanh(mean + std noise) and its log density; log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2 u))."""
    u = torch.addcmul(mean, log_std.exp(), noise)
    log_gaussian = -0.5 * noise * noise - log_std - HALF_LOG_TWO_PI
    log_prob = (log_gaussian - 2 * (LOG_TWO - u - F.softplus(-2 * u))).sum(-1)
    return torch.tanh(u), log_prob


class Critics(nn.Module):
    """N functions Q_i side by side: every layer of all is one batched matrix product."""

    def __init__(self, input_size: int, action_size: int, hidden: Sequence[int], count: int) -> None:
        super().__init__()
        sizes = [input_size + action_size, *hidden, 1]
        shapes = list(pairwise(sizes))
        # The same initialisation as nn.Linear: uniform within 1 / sqrt(fan in).
        self.weights = nn.ParameterList(torch.empty(count, i, o).uniform_(-(i**-0.5), i**-0.5) for i, o in shapes)
        self.biases = nn.ParameterList(torch.empty(count, 1, o).uniform_(-(i**-0.5), i**-0.5) for i, o in shapes)
        self.gains = nn.ParameterList(torch.ones(count, 1, width) for width in hidden)
        self.offsets = nn.ParameterList(torch.zeros(count, 1, width) for width in hidden)
        # torch's CPU layer norm is twice as fast with a gain as without one.
        for layer, width in enumerate(hidden):
            self.register_buffer(f"one{layer}", torch.ones(width), persistent=False)
            self.register_buffer(f"zero{layer}", torch.zeros(width), persistent=False)

    def forward(self, x: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        """x (B, input_size) normalised, action (B, A) -> Q (N, B)."""
        joint = torch.cat([x, action], -1)
        h = joint.expand(len(self.biases[-1]), *joint.shape)
        for layer in range(len(self.gains)):
            one, zero = getattr(self, f"one{layer}"), getattr(self, f"zero{layer}")
            z = torch.baddbmm(self.biases[layer], h, self.weights[layer])
            # Gain and offset differ between the critics, so they come after a plain layer norm.
            normal = F.layer_norm(z, one.shape, one, zero)
            h = torch.addcmul(self.offsets[layer], normal, self.gains[layer]).relu()
        return torch.baddbmm(self.biases[-1], h, self.weights[-1]).squeeze(-1)
