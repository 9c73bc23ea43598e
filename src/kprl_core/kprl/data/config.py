"""What a data set is made of, and which random seed belongs to which of its images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kprl.errors import KprlError, require_choice
from kprl.preprocess import IMAGE_SIZE
from kprl.sim.ranges import RANDOMIZATIONS, read_ranges
from kprl.sim.scenes import read_scene
from kprl.tasks import check_names

SHARD_IMAGES = 500
"""Images in one shard: the unit of work of a worker, and what a killed run loses at most per worker."""

SAMPLING = 2
"""Raised whenever a task draws other states for its images: shards from before and after do not mix."""

FORMAT = "kprl-data"
VERSION = 1


class Frame(Protocol):
    """One rendered image with what the simulator knows about it."""

    @property
    def grey(self) -> np.ndarray:
        """(64, 64) uint8."""

    @property
    def depth(self) -> np.ndarray:
        """(64, 64) float32 [m]."""

    @property
    def segmentation(self) -> np.ndarray:
        """(64, 64) uint8: 0 background, 1 gripper, 2 target."""


class ScatterWorld(Protocol):
    """The part of `kprl.envs.world.World` that image generation needs."""

    def scatter(self, seed: int) -> Frame:
        """Return the image of a random state that depends on `seed` alone."""

    def close(self) -> None:
        """Free the simulation."""


@dataclass(frozen=True)
class GenerateConfig:
    """Settings of one data set; `out` and `workers` do not influence its images."""

    task: str
    scene: str
    object: str
    randomization: str = "train"  # the ranges of domain randomization
    _: KW_ONLY
    images: int
    out: Path
    workers: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        check_names(self.task, self.scene, self.object)
        require_choice("randomization", self.randomization, RANDOMIZATIONS)
        for name, least in (("images", 1), ("workers", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise KprlError(f"{name} is {getattr(self, name)}: expected at least {least}")

    def identity(self) -> dict[str, Any]:
        """Everything that decides the images; two runs may share a folder only if this is equal."""
        return {
            "task": self.task,
            "scene": self.scene,
            "object": self.object,
            "randomization": self.randomization,
            "ranges": _digest(self.randomization, self.scene),
            "images": self.images,
            "seed": self.seed,
            "sampling": SAMPLING,
            "image_size": IMAGE_SIZE,
            "shard_images": SHARD_IMAGES,
        }


def _digest(randomization: str, scene: str) -> str:
    """Fingerprint of what config/world says of a randomization and a scene: a changed range gives other images."""
    content = f"{read_ranges(randomization)} {read_scene(scene)}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]


WorldFactory = Callable[[GenerateConfig], ScatterWorld]


def image_seed(seed: int, index: int) -> int:
    """Seed of image `index`: a function of (seed, index) alone, so the number of workers cannot matter."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> np.uint64(1))
