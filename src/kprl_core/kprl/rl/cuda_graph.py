"""A gradient step on a GPU, captured once as a CUDA graph: hundreds of small kernels are started as one.

They run for a few microseconds each: starting them one by one takes longer than that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from kprl.rl.batch import Batch, Draws, Metrics

Step = Callable[[Batch[torch.Tensor], Draws], Metrics]
WARM_UPS = 3
"""Steps that run kernel by kernel before the capture: libraries allocate their memory in them."""
BUFFERS = 2
"""Batches in memory that the GPU reads by itself: one is filled while another is on its way."""


class CudaStep:
    """Calls `step`: a few times as it is, then as a graph; with and without the actor's part, each for itself.

    Batch and draws always have the shapes of the first call.
    """

    def __init__(self, step: Step, device: torch.device) -> None:
        self._step, self._device = step, device
        self._inputs: Inputs | None = None
        self._calls = {False: 0, True: 0}  # without and with the actor's part
        self._graphs: dict[bool, Captured] = {}

    def __call__(self, batch: Batch[np.ndarray], draws: Draws) -> Metrics:
        """One step on a batch and draws that lie on the CPU; metrics on the GPU, not waited for."""
        if self._inputs is None:
            self._inputs = Inputs(batch, draws, self._device)
        self._inputs.send(batch, draws)
        moves_actor = draws.actor_scales is not None
        self._calls[moves_actor] += 1
        if self._calls[moves_actor] <= WARM_UPS:
            return self._beside(moves_actor)
        if moves_actor not in self._graphs:
            self._graphs[moves_actor] = self._capture(moves_actor)
        return self._graphs[moves_actor].replay()

    def _beside(self, moves_actor: bool) -> Metrics:
        """A step as it is, on a stream of its own, as capture demands of warm-ups."""
        assert self._inputs
        main, beside = torch.cuda.current_stream(), torch.cuda.Stream()
        beside.wait_stream(main)
        with torch.cuda.stream(beside):
            metrics = self._step(*self._inputs.given(moves_actor))
        main.wait_stream(beside)
        return metrics

    def _capture(self, moves_actor: bool) -> Captured:
        assert self._inputs
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            metrics = self._step(*self._inputs.given(moves_actor))
            values = torch.stack([*metrics.values()])
        return Captured(graph, tuple(metrics), values)


class Captured(NamedTuple):
    """A graph, and where it leaves its metrics each time."""

    graph: torch.cuda.CUDAGraph
    names: tuple[str, ...]
    values: torch.Tensor  # (len(names),)

    def replay(self) -> Metrics:
        """Run it on what the inputs hold now."""
        self.graph.replay()
        return dict(zip(self.names, self.values.clone().unbind(), strict=True))


class Inputs:
    """Where the graph finds batch and draws: always the same memory, filled by one copy a step."""

    def __init__(self, batch: Batch[np.ndarray], draws: Draws, device: torch.device) -> None:
        columns = _columns(batch, draws)
        self._rows, self._width = len(columns[0]), sum(column.shape[1] for column in columns)
        size = self._rows * self._width + SCALES
        self._there = torch.zeros(size, device=device)
        on_gpu = device.type == "cuda"
        self._here = [torch.zeros(size, pin_memory=on_gpu) for _ in range(BUFFERS)]
        self._sent = [torch.cuda.Event() for _ in range(BUFFERS)] if on_gpu else None
        self._turn = 0
        parts = self._there[: size - SCALES].view(self._rows, self._width).split([c.shape[1] for c in columns], dim=1)
        shapes = [field.shape for field in (*batch, draws.next_noise, draws.noise)]
        *fields, next_noise, noise = (part.view(shape) for part, shape in zip(parts, shapes, strict=True))
        self._batch = Batch(*fields)
        critic_scales, actor_scales = self._there[size - SCALES :].split(SCALES // 2)
        self._draws = Draws(next_noise, noise, critic_scales, actor_scales)

    def send(self, batch: Batch[np.ndarray], draws: Draws) -> None:
        """Begin to copy to the GPU; waits only for the copy before the last one."""
        self._turn = (self._turn + 1) % BUFFERS
        here = self._here[self._turn]
        if self._sent:
            self._sent[self._turn].synchronize()
        flat = here.numpy()
        table = flat[: len(flat) - SCALES].reshape(self._rows, self._width)
        np.concatenate(_columns(batch, draws), axis=1, out=table)
        flat[-SCALES : -SCALES // 2] = draws.critic_scales.numpy()
        if draws.actor_scales is not None:
            flat[-SCALES // 2 :] = draws.actor_scales.numpy()
        self._there.copy_(here, non_blocking=True)
        if self._sent:
            self._sent[self._turn].record()

    def given(self, moves_actor: bool) -> tuple[Batch[torch.Tensor], Draws]:
        """What the step takes, on the GPU."""
        return self._batch, self._draws if moves_actor else self._draws._replace(actor_scales=None)


SCALES = 4
"""Numbers of `FlatAdam.begin`: two for the critics, two for the actor."""


def _columns(batch: Batch[np.ndarray], draws: Draws) -> list[np.ndarray]:
    """Everything that has a row for each transition, as (B, width)."""
    fields = (*batch, draws.next_noise.numpy(), draws.noise.numpy())
    return [field.reshape(len(field), -1) for field in fields]
