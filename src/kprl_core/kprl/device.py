"""Which device a training computes on."""

from __future__ import annotations

import torch

from kprl.errors import KprlError

DEVICES = ("auto", "cpu", "cuda")


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """`auto` takes a GPU if there is one.

    Errors: `KprlError` if CUDA is asked for and there is none, or too few GPUs for the process `local_rank`.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device(name)
    if not torch.cuda.is_available():
        raise KprlError("device is cuda, but torch sees no GPU: install torch's CUDA build (make help), or use cpu")
    if local_rank >= torch.cuda.device_count():
        raise KprlError(
            f"process {local_rank} of this machine has no GPU ({torch.cuda.device_count()} found): "
            "start as many processes as GPUs"
        )
    return torch.device(name, local_rank)
