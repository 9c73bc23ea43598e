"""The state of a training in one file, whole or absent, from which it goes on as if it had not been interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kprl.errors import KprlError
from kprl.tensor_file import load_tensors, save_tensors

FORMAT, VERSION = "kprl-keypoints-checkpoint", 2
MODEL, OPTIMISER = "model", "optimiser"


def save_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, progress: dict[str, Any]) -> None:
    """Write weights, statistics, the optimiser's state and `progress` (JSON values) to one safetensors file.

    Raises KprlError, and leaves the older file, if a weight is not finite.
    """
    tensors = {f"{MODEL}/{name}": value for name, value in model.state_dict().items()}
    for i, parameter in enumerate(_parameters(optimiser)):
        for key, value in optimiser.state[parameter].items():
            tensors[f"{OPTIMISER}/{i}/{key}"] = value
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise KprlError(f"{name} is not finite: {path} was not written; train with another seed or preset")
    save_tensors(path, FORMAT, VERSION, tensors, progress)


def load_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Put the saved state into `model` and `optimiser`; returns the progress.

    Errors: `KprlError` if the file is damaged, of another version, or of another network.
    """
    mend = f"delete {path.parent} to train from the start"
    tensors, progress = load_tensors(path, FORMAT, VERSION, mend)
    weights = {name.removeprefix(f"{MODEL}/"): value for name, value in tensors.items() if name.startswith(f"{MODEL}/")}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise KprlError(f"{path} is of another network ({reason}): {mend}") from None
    for i, parameter in enumerate(_parameters(optimiser)):
        prefix = f"{OPTIMISER}/{i}/"
        saved = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        optimiser.state[parameter] = {key: _like(parameter, value) for key, value in saved.items()}
    return progress


def _parameters(optimiser: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    """`value` as the optimiser keeps it: moments must lie in memory as their parameter does."""
    if value.shape != parameter.shape:  # the count of steps
        return value.to(parameter.device)
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
