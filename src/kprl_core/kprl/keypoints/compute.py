"""Where a training computes, and with how many bits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from kprl.errors import KprlError

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Compute:
    """A device and the precision of its matrix products and convolutions."""

    device: torch.device
    precision: str  # float32 or bfloat16

    def autocast(self) -> AbstractContextManager[object]:
        """Mixed precision within the block: weights and losses stay float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    @property
    def memory_format(self) -> torch.memory_format:
        """Of convolution weights: channels last is faster.

        Not with bfloat16 on a CPU: there oneDNN's weight gradients of a dilated convolution of 72 channels are wrong,
        often NaN (torch 2.13).
        """
        wrong = self.device.type == "cpu" and self.precision == "bfloat16"
        return torch.contiguous_format if wrong else torch.channels_last


def choose_compute(device: str, precision: str, local_rank: int = 0) -> Compute:
    """`auto` takes a GPU if there is one, with bfloat16 if it multiplies that; a CPU computes with float32.

    Errors: `KprlError` if CUDA is asked for and there is none, or too few GPUs for the process `local_rank`.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise KprlError("device is cuda, but torch sees no GPU: install torch's CUDA build (make help), or use cpu")
    if device == "cuda" and local_rank >= torch.cuda.device_count():
        raise KprlError(
            f"process {local_rank} of this machine has no GPU ({torch.cuda.device_count()} found): "
            "start as many processes as GPUs"
        )
    if precision == "auto":
        half = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        precision = "bfloat16" if half else "float32"
    return Compute(torch.device(device, local_rank) if device == "cuda" else torch.device(device), precision)
