"""Batch normalisation with separate statistics for adversarial images, as in AdvProp [38].

Adversarial images are drawn from another distribution; through shared statistics they would spoil the ones that
inference uses.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


class SplitBatchNorm2d(nn.Module):
    """Two batch normalisations, one used at a time: clean images use `clean`, adversarial ones `auxiliary`."""

    def __init__(self, clean: nn.BatchNorm2d) -> None:
        super().__init__()
        self.clean = clean
        self.auxiliary = copy.deepcopy(clean)  # of a network that is not new, they know something
        self.adversarial = False

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same, by the statistics of clean or of adversarial images."""
        normed: Tensor = (self.auxiliary if self.adversarial else self.clean)(x)
        return normed


def split_batch_norms(module: nn.Module) -> None:
    """Replace every batch normalisation inside `module`."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, SplitBatchNorm2d(child))
        else:
            split_batch_norms(child)


def join_batch_norms(module: nn.Module) -> None:
    """Undo `split_batch_norms`: only the clean statistics stay."""
    for name, child in module.named_children():
        if isinstance(child, SplitBatchNorm2d):
            setattr(module, name, child.clean)
        else:
            join_batch_norms(child)


@contextmanager
def adversarial_statistics(module: nn.Module) -> Iterator[None]:
    """Use, and learn, the auxiliary statistics within the block."""
    split = [part for part in module.modules() if isinstance(part, SplitBatchNorm2d)]
    for part in split:
        part.adversarial = True
    try:
        yield
    finally:
        for part in split:
            part.adversarial = False
