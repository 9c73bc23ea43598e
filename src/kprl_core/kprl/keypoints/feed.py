"""Which images a step sees: decided by the seed and the step alone, so that a resumed training sees the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from kprl.data.dataset import Dataset
from kprl.keypoints.targets import Batch, DepthScale, class_shares, depth_target
from kprl.preprocess import to_network

HELD_OUT_SHARE = 0.05
LEAST_BATCH = 3  # C_eq needs one image for each rotation
SPLIT, ORDER, NOISE = range(3)  # what a stream of random numbers is for


def split(images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices to train on and indices to hold out, both sorted."""
    order = np.random.default_rng([seed, SPLIT]).permutation(images)
    held_out = max(LEAST_BATCH + 1, int(HELD_OUT_SHARE * images))
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def step_noise(seed: int, step: int, rank: int) -> torch.Generator:
    """The source of chance of one step in one process."""
    entropy = np.random.SeedSequence([seed, NOISE, step, rank])
    return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))


class Feed:
    """Batches of a data set's images at `indices`."""

    def __init__(
        self, dataset: Dataset, indices: np.ndarray, scale: DepthScale, batch_size: int, seed: int, device: torch.device
    ) -> None:
        self._dataset, self._indices, self._scale = dataset, indices, scale
        self._seed, self._device = seed, device
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
        data = self._dataset
        depth = torch.from_numpy(data.depth[indices]).to(self._device)
        segmentation = torch.from_numpy(data.segmentation[indices]).to(self._device)
        images = torch.from_numpy(to_network(data.grey[indices])).to(self._device)
        return Batch(images, depth_target(depth, self._scale), class_shares(segmentation))
