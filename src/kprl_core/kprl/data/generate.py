"""Generation of simulated images by several workers; a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
from contextlib import closing

from tqdm import tqdm

from kprl.data.config import GenerateConfig, WorldFactory
from kprl.data.engine import Engine
from kprl.data.folder import finished_shards
from kprl.data.local_engine import LocalEngine
from kprl.data.render import build_world
from kprl.data.shards import shard_sizes, write_manifest, write_shard
from kprl.locks import sole_holder

LOCK = ".generate.lock"


def generate(
    config: GenerateConfig,
    make_world: WorldFactory = build_world,
    progress: bool = True,
    engine: Engine | None = None,
) -> None:
    """Fill the folder `config.out` with shards and a manifest.

    Shards that are already there and whole are kept. `make_world` must be a module-level function: the workers
    import it. `engine` None: processes of this machine.

    Errors: `KprlError` if the folder belongs to another data set or to something else, if another process fills it,
    or if the workers fail.
    """
    with sole_holder(config.out, LOCK, "kprl data generate"):
        checksums = finished_shards(config)
        sizes = shard_sizes(config.images)
        missing = [name for name in sizes if name not in checksums]
        write_manifest(config.out, config.identity(), checksums)
        done = sum(sizes[name] for name in checksums)
        bar = tqdm(total=config.images, initial=done, unit="image", desc="images", disable=not progress)
        with bar:
            if not missing:
                return
            shards = (engine or LocalEngine()).render(config, make_world, missing, bar.update)
            with closing(shards):
                for name, content in shards:
                    write_shard(config.out / name, content)
                    # Only now: a shard that the manifest names is whole.
                    checksums[name] = hashlib.sha256(content).hexdigest()
                    write_manifest(config.out, config.identity(), checksums)
