"""ImageNet weights for AE-FT, from a file on this machine: nothing is downloaded."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor

from kprl.errors import KprlError
from kprl.representations.resnet18 import ResNet18

WEIGHTS_NAME = "torchvision's resnet18-f37072fd.pth"  # its IMAGENET1K_V1
CACHED = "resnet18-*.pth"  # torchvision's name in torch hub's cache; the hash changes with its version
REPLACED = "fc."  # the layer that names ImageNet's classes: AE-FT has its own
OPTIONAL = "num_batches_tracked"  # weight files older than torch 0.4.1 have no such counters


def load_pretrained(network: ResNet18, path: Path | None) -> bool:
    """Load all but the last layer from `path`, or from torch hub's cache if that is None.

    Returns whether there were weights: with none in the cache, `network` stays random and stderr says so.
    Errors: `KprlError` if the file is missing, damaged or of another network.
    """
    if path is None:
        path = cached_weights()
        if path is None:
            print(
                f"kprl: ae-ft starts from random weights, not from ImageNet's: there is no {CACHED} in "
                f"{cache_folder()}; put {WEIGHTS_NAME} there, or name the file",
                file=sys.stderr,
            )
            return False
    elif not path.is_file():
        raise KprlError(f"{path} is not a file: expected ResNet-18's weights, such as {WEIGHTS_NAME}")
    weights = _read(path)
    _check(network, weights, path)
    network.load_state_dict(weights, strict=False)  # checked above, with an error of one line
    return True


def cache_folder() -> Path:
    """Where torch hub keeps weight files."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def cached_weights() -> Path | None:
    """The weight file in torch hub's cache, if there is one."""
    found = sorted(cache_folder().glob(CACHED))
    return found[-1] if found else None


def _read(path: Path) -> dict[str, Tensor]:
    """All tensors of a weight file but those of the last layer."""
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch each have their own; they share no narrower base class
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise KprlError(f"{path} is not a readable weight file ({reason}): copy {WEIGHTS_NAME} once more") from error
    if not isinstance(weights, dict):
        raise KprlError(f"{path} holds a {type(weights).__name__}: expected ResNet-18's weights by name")
    return {str(name): value for name, value in weights.items() if not str(name).startswith(REPLACED)}


def _check(network: ResNet18, weights: dict[str, Tensor], path: Path) -> None:
    """Errors: `KprlError` that names the first parameter that is missing, of another shape, or too many."""
    advice = f"it is of another network; expected ResNet-18's weights as torchvision names them, such as {WEIGHTS_NAME}"
    expected = {name: value for name, value in network.state_dict().items() if not name.startswith(REPLACED)}
    for name, value in expected.items():
        shape = tuple(value.shape)
        if name not in weights:
            if name.endswith(OPTIONAL):
                continue
            raise KprlError(f"{path} has no parameter {name} {shape}: {advice}")
        found = tuple(weights[name].shape) if isinstance(weights[name], Tensor) else type(weights[name]).__name__
        if found != shape:
            raise KprlError(f"{path} has parameter {name} as {found} instead of {shape}: {advice}")
    # ResNet-34 begins with all that ResNet-18 has.
    for name in weights:
        if name not in expected:
            raise KprlError(f"{path} has a parameter {name}, which ResNet-18 has not: {advice}")
