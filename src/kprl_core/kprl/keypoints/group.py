"""The processes of one training, as `torchrun` starts them; a single process is a group of one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

TIME_OUT = timedelta(minutes=5)  # for one another; the longest wait is for the first process's validation


@dataclass(frozen=True)
class Group:
    """This process's place among those of one training."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # among the processes of this machine

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def of_first(self, value: float, device: torch.device) -> float:
        """The first process's `value`."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=device)
        dist.broadcast(shared, src=0)
        return float(shared)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def join_group(backend: str) -> Iterator[Group]:
    """The group that torchrun's environment variables name; `backend`: gloo on CPUs, nccl on GPUs."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group()
        return
    dist.init_process_group(backend, timeout=TIME_OUT)
    try:
        yield Group(dist.get_rank(), size, int(os.environ.get("LOCAL_RANK", "0")))
    finally:
        dist.destroy_process_group()


def require_same(parameters: Iterable[Tensor], group: Group) -> None:
    """Raise if the processes' parameters differ: their seeds or checkpoints would not be the same."""
    total = torch.stack([p.detach().double().sum() for p in parameters]).sum()
    if group.of_first(float(total), total.device) != float(total):
        raise RuntimeError(f"process {group.rank} starts from other weights than the first one")
