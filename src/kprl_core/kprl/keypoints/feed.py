"""Which images a step sees: decided by the seed and the step alone, so that a resumed training sees the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from kprl.data.dataset import Dataset
from kprl.keypoints.targets import Batch, DepthScale, class_shares, depth_target

HELD_OUT_SHARE = 0.05
LEAST_BATCH = 3  # C_eq needs one image for each rotation
SPLIT, ORDER, NOISE = range(3)  # what a stream of random numbers is for


def split(images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices to train on and indices to hold out, both sorted."""
    order = np.random.default_rng([seed, SPLIT]).permutation(images)
    held_out = max(LEAST_BATCH + 1, int(HELD_OUT_SHARE * images))
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def step_noise(seed: int, step: int, rank: int, device: torch.device) -> torch.Generator:
    """The source of chance of one step in one process; a step's draws on a CPU and on a GPU differ.

    On the device that computes: noise for whole images, drawn on the CPU, would hold up a GPU.
    """
    entropy = np.random.SeedSequence([seed, NOISE, step, rank])
    return torch.Generator(device).manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))


class Feed:
    """Batches of a data set's images at `indices`. Where a GPU computes, the data set lies in its memory."""

    def __init__(
        self, dataset: Dataset, indices: np.ndarray, scale: DepthScale, batch_size: int, seed: int, device: torch.device
    ) -> None:
        self._images = [torch.from_numpy(part) for part in (dataset.grey, dataset.depth, dataset.segmentation)]
        self._indices, self._scale = indices, scale
        if device.type == "cuda":  # 16 kB an image
            self._images = [part.to(device) for part in self._images]
        self._seed, self.device = seed, device
        self.batch_size = min(batch_size, len(indices))
        self._epoch, self._order = -1, indices

    def step(self, step: int, rank: int = 0, processes: int = 1) -> Batch:
        """This process's share of the batch of `step`; each epoch is a new shuffle, its incomplete batch dropped."""
        batches = len(self._indices) // self.batch_size
        epoch, place = divmod(step, batches)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self._seed, ORDER, epoch]).permutation(self._indices)
        whole = self._order[place * self.batch_size : (place + 1) * self.batch_size]
        return self._batch(whole[rank::processes])

    def all(self) -> Iterator[Batch]:
        """Every image once, in order; a last batch that is too small for C_eq is dropped."""
        for start in range(0, len(self._indices) - LEAST_BATCH + 1, self.batch_size):
            yield self._batch(self._indices[start : start + self.batch_size])

    def _batch(self, indices: np.ndarray) -> Batch:
        chosen = torch.from_numpy(indices).to(self.device)
        grey, depth, segmentation = (part[chosen] for part in self._images)
        return Batch(grey[:, None].float() / 255, depth_target(depth, self._scale), class_shares(segmentation))
