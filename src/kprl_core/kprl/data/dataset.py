"""A whole data set in memory, verified against its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kprl.data.shards import ARRAYS, read_manifest, read_shard, shard_sizes
from kprl.errors import KprlError
from kprl.files import verify_checksums
from kprl.preprocess import IMAGE_SIZE


@dataclass(frozen=True)
class Dataset:
    """N images. Memory: 16 kB an image."""

    grey: np.ndarray  # (N, 64, 64) uint8
    depth: np.ndarray  # (N, 64, 64) float16 [m]
    segmentation: np.ndarray  # (N, 64, 64) uint8: 0 background, 1 gripper, 2 target
    config: dict[str, Any]  # what the images show: task, scene, object, images, seed

    def __len__(self) -> int:
        return len(self.grey)

    def subset(self, indices: np.ndarray) -> Dataset:
        """The images at `indices`, copied."""
        return Dataset(self.grey[indices], self.depth[indices], self.segmentation[indices], self.config)


def load_dataset(folder: Path) -> Dataset:
    """Load a folder that `generate` made.

    Errors: `KprlError` that names the file if one is missing, damaged or not part of the data set.
    """
    config, checksums = read_manifest(folder)
    sizes = shard_sizes(int(config["images"]))
    unfinished = [name for name in sizes if name not in checksums]
    if unfinished:
        raise KprlError(
            f"{folder} is unfinished ({unfinished[0]} and {len(unfinished) - 1} more shards are missing): "
            "run 'kprl data generate' with the same arguments again"
        )
    foreign = sorted({path.name for path in folder.glob("*.npz")} - sizes.keys())
    if foreign:
        raise KprlError(f"{folder / foreign[0]} is not part of this data set: remove it or generate the data anew")
    verify_checksums(folder, checksums)
    images = int(config["images"])
    # Filled shard by shard: concatenating would need twice the memory.
    arrays = {name: np.empty((images, IMAGE_SIZE, IMAGE_SIZE), dtype) for name, dtype in ARRAYS.items()}
    start = 0
    for name, count in sizes.items():
        for key, values in read_shard(folder / name, count).items():
            arrays[key][start : start + count] = values
        start += count
    return Dataset(arrays["grey"], arrays["depth"], arrays["segmentation"], config)
