"""The pictures of one shard: a pure function of the settings and the shard's name, wherever it is computed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kprl.data.config import SHARD_IMAGES, GenerateConfig, ScatterWorld, image_seed
from kprl.data.shards import ARRAYS, encode_shard, shard_sizes
from kprl.preprocess import IMAGE_SIZE


def build_world(config: GenerateConfig) -> ScatterWorld:
    """The simulated world of `config`, with its domain randomization."""
    from kprl.envs.world import World  # here, since the parent process never needs the simulator

    return World(task=config.task, scene=config.scene, object=config.object, randomization=config.randomization)


def render_shard(
    config: GenerateConfig, world: ScatterWorld, name: str, rendered: Callable[[], None] = lambda: None
) -> bytes:
    """The content of the file of shard `name`; `rendered` is called after each image."""
    sizes = shard_sizes(config.images)
    first, count = list(sizes).index(name) * SHARD_IMAGES, sizes[name]
    arrays = {key: np.empty((count, IMAGE_SIZE, IMAGE_SIZE), dtype) for key, dtype in ARRAYS.items()}
    for i in range(count):
        frame = world.scatter(image_seed(config.seed, first + i))
        for key in ARRAYS:
            arrays[key][i] = getattr(frame, key)
        rendered()
    return encode_shard(arrays)
