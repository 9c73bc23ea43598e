"""The processes of one training, as `torchrun` starts them; a single process is a group of one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from kprl.errors import KprlError

TIME_OUT = timedelta(minutes=5)  # for one another; the longest wait is for the first process's validation


@dataclass(frozen=True)
class Group:
    """This process's place among those of one training."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its mean over the processes."""
        if self.size == 1:
            return
        tensors = list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.size
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

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
def join_group(device: torch.device) -> Iterator[Group]:
    """The group that torchrun's environment variables name; `device`: where the processes compute."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIME_OUT)
    try:
        yield Group(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


def local_rank() -> int:
    """This process's number among those of this machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def require_same(parameters: Iterable[Tensor], group: Group) -> None:
    """Errors: `KprlError` if this process's parameters are not the first one's."""
    total = torch.stack([p.detach().double().sum() for p in parameters]).sum()
    if group.of_first(float(total), total.device) != float(total):
        raise KprlError(
            f"process {group.rank} has other weights than the first one: expected processes that see the same files, "
            "as those of one machine; is the work folder shared?"
        )
