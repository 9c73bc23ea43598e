"""Parameters as one contiguous vector, and Adam on it: a few kernels an update instead of a few a tensor.

At 64x64 the networks are so small that starting kernels costs as much as running them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn

Named = dict[str, torch.Tensor]
"""Parameters by name, as `torch.func.functional_call` takes them."""


class Flat:
    """The parameters of some modules as one vector (n,); each parameter becomes a view of it.

    Loading a state_dict keeps the views, since it copies in place.
    """

    def __init__(self, *modules: nn.Module) -> None:
        named = [dict(module.named_parameters()) for module in modules]
        self._shapes = [{name: p.shape for name, p in parameters.items()} for parameters in named]
        parts = [p.detach().reshape(-1) for parameters in named for p in parameters.values()]
        self.vector = torch.cat(parts)
        for parameters, views in zip(named, self.views(self.vector), strict=True):
            for name, parameter in parameters.items():
                parameter.data = views[name]

    def views(self, vector: torch.Tensor) -> list[Named]:
        """A vector (n,) as the parameters of each module."""
        found, start = [], 0
        for shapes in self._shapes:
            views: Named = {}
            for name, shape in shapes.items():
                end = start + shape.numel()
                views[name] = vector[start:end].view(shape)
                start = end
            found.append(views)
        return found


class FlatAdam:
    """Adam (Kingma & Ba) for one vector: the same steps as torch.optim.Adam."""

    def __init__(
        self, vector: torch.Tensor, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.vector, self.learning_rate, self.betas, self.epsilon = vector, learning_rate, betas, 1e-8
        self.steps = 0
        self.mean = torch.zeros_like(vector)
        self.square = torch.zeros_like(vector)

    def begin(self) -> torch.Tensor:
        """Count a step; its size and the correction of the deviation (2,), which change from step to step."""
        beta1, beta2 = self.betas
        self.steps += 1
        return torch.tensor([self.learning_rate / (1 - beta1**self.steps), 1 / math.sqrt(1 - beta2**self.steps)])

    def step(self, gradient: torch.Tensor, scales: torch.Tensor) -> None:
        """Move the vector against `gradient` (n,), with what `begin` returned."""
        beta1, beta2 = self.betas
        self.mean.lerp_(gradient, 1 - beta1)
        self.square.mul_(beta2).add_((1 - beta2) * gradient * gradient)
        self.vector.sub_(scales[0] * self.mean / (self.square.sqrt() * scales[1] + self.epsilon))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Steps taken and both moments, as plain tensors."""
        return {"steps": torch.tensor(self.steps), "mean": self.mean, "square": self.square}

    def load_state_dict(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take over a `state_dict`."""
        self.steps = int(tensors["steps"])
        self.mean.copy_(tensors["mean"])
        self.square.copy_(tensors["square"])
