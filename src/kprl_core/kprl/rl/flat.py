"""Parameters as one contiguous vector, and Adam on it: a few kernels an update instead of a few a tensor.

At 64x64 the networks are so small that starting kernels costs as much as running them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn


def flatten(parameters: Iterable[nn.Parameter]) -> nn.Parameter:
    """Move `parameters` into one contiguous vector and return it, its gradient likewise.

    Each becomes a view of the vector. Loading a state_dict keeps the views, since it copies in place.
    """
    parts = list(parameters)
    flat = nn.Parameter(torch.cat([part.detach().reshape(-1) for part in parts]))
    gradient = torch.zeros_like(flat)
    start = 0
    for part in parts:
        end = start + part.numel()
        part.data = flat.data[start:end].view_as(part)
        part.grad = gradient[start:end].view_as(part)
        start = end
    flat.grad = gradient
    return flat


class FlatAdam:
    """Adam (Kingma & Ba) for one flat parameter: the same steps as torch.optim.Adam."""

    def __init__(
        self, parameter: nn.Parameter, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.parameter, self.learning_rate, self.betas, self.epsilon = parameter, learning_rate, betas, 1e-8
        self.steps = 0
        self.mean = torch.zeros_like(parameter.data)
        self.square = torch.zeros_like(parameter.data)

    def zero_grad(self) -> None:
        """Set the gradient to zero, in place."""
        assert self.parameter.grad is not None
        self.parameter.grad.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameter against its gradient."""
        gradient, (beta1, beta2) = self.parameter.grad, self.betas
        assert gradient is not None
        self.steps += 1
        self.mean.lerp_(gradient, 1 - beta1)
        self.square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        deviation = self.square.sqrt().div_(math.sqrt(1 - beta2**self.steps)).add_(self.epsilon)
        self.parameter.addcdiv_(self.mean, deviation, value=-self.learning_rate / (1 - beta1**self.steps))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Steps taken and both moments, as plain tensors."""
        return {"steps": torch.tensor(self.steps), "mean": self.mean, "square": self.square}

    def load_state_dict(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take over a `state_dict`."""
        self.steps = int(tensors["steps"])
        self.mean.copy_(tensors["mean"])
        self.square.copy_(tensors["square"])
