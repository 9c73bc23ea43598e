"""Where a training computes, and with how many bits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from kprl.device import choose_device

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

    Errors: see `choose_device`.
    """
    chosen = choose_device(device, local_rank)
    if precision == "auto":
        half = chosen.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        precision = "bfloat16" if half else "float32"
    return Compute(chosen, precision)
