"""Generation of simulated images by several processes; a killed run goes on where it stopped."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from kprl.data.config import (
    SHARD_IMAGES,
    GenerateConfig,
    ScatterWorld,
    WorldFactory,
    image_seed,
)
from kprl.data.shards import (
    ARRAYS,
    MANIFEST,
    read_manifest,
    shard_sizes,
    write_manifest,
    write_shard,
)
from kprl.errors import KprlError
from kprl.files import sha256_of
from kprl.preprocess import IMAGE_SIZE

PROGRESS_PERIOD = 0.25  # [s] between two looks at the workers' progress


def build_world(config: GenerateConfig) -> ScatterWorld:
    """The simulated world of `config`, with domain randomization."""
    from kprl.envs.world import World  # here, since the parent process never needs the simulator

    return World(task=config.task, scene=config.scene, object=config.object, randomize=True)


def generate(config: GenerateConfig, make_world: WorldFactory = build_world, progress: bool = True) -> None:
    """Fill the folder `config.out` with shards and a manifest.

    Shards that are already there and whole are kept. `make_world` must be a module-level function: the worker
    processes import it.

    Errors: `KprlError` if the folder belongs to another data set or to something else, or if a worker dies.
    """
    checksums = _finished_shards(config)
    sizes = shard_sizes(config.images)
    missing = [name for name in sizes if name not in checksums]
    write_manifest(config.out, config.identity(), checksums)
    done = sum(sizes[name] for name in checksums)
    bar = tqdm(total=config.images, initial=done, unit="image", desc="images", disable=not progress)
    with bar:
        if missing:
            _generate_shards(config, make_world, missing, checksums, bar)


def _finished_shards(config: GenerateConfig) -> dict[str, str]:
    """Checksums of the whole shards in `config.out`; creates the folder if it is absent."""
    folder = config.out
    if folder.exists() and not folder.is_dir():
        raise KprlError(f"{folder} is a file: expected a folder for the images")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MANIFEST).exists():
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise KprlError(f"{folder} is not empty and holds no {MANIFEST}: choose another folder")
        return {}
    found, checksums = read_manifest(folder)
    expected = config.identity()
    for name in sorted(expected.keys() | found.keys()):
        if found.get(name) != expected.get(name):
            raise KprlError(
                f"{folder} holds images with {name} {found.get(name)}, not {expected.get(name)}: "
                "choose another folder or delete this one"
            )
    wanted = shard_sizes(config.images)
    return {
        name: digest
        for name, digest in checksums.items()
        if name in wanted and (folder / name).is_file() and sha256_of(folder / name) == digest
    }


def _generate_shards(
    config: GenerateConfig, make_world: WorldFactory, names: list[str], checksums: dict[str, str], bar: tqdm
) -> None:
    """Let the workers write the shards `names`; the manifest grows with each finished one."""
    context = multiprocessing.get_context("spawn")  # fork would copy a simulator that is not fork-safe
    counter = context.Value("q", 0)
    start = bar.n
    workers = min(config.workers, len(names))
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(config, make_world, counter))
    try:
        pending: set[Future[tuple[str, str]]] = {pool.submit(_generate_shard, name) for name in names}
        while pending:
            finished, pending = wait(pending, timeout=PROGRESS_PERIOD, return_when=FIRST_COMPLETED)
            for future in finished:
                name, digest = future.result()
                checksums[name] = digest
                write_manifest(config.out, config.identity(), checksums)
            bar.update(start + counter.value - bar.n)
    except BrokenProcessPool:
        raise KprlError(
            "a process of the image generation died (out of memory?): start it again with fewer workers, "
            "finished shards are kept"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """State of one worker process: its settings, and its world once it is needed."""

    config: GenerateConfig
    make_world: WorldFactory
    counter: Any
    world: ScatterWorld | None = None


def _start_worker(config: GenerateConfig, make_world: WorldFactory, counter: Any) -> None:
    _Worker.config, _Worker.counter = config, counter
    _Worker.make_world = staticmethod(make_world)


def _generate_shard(name: str) -> tuple[str, str]:
    """Render and write one shard; returns its name and checksum."""
    config = _Worker.config
    if _Worker.world is None:
        _Worker.world = _Worker.make_world(config)
    names = list(shard_sizes(config.images))
    first, count = names.index(name) * SHARD_IMAGES, shard_sizes(config.images)[name]
    arrays = {key: np.empty((count, IMAGE_SIZE, IMAGE_SIZE), dtype) for key, dtype in ARRAYS.items()}
    for i in range(count):
        frame = _Worker.world.scatter(image_seed(config.seed, first + i))
        for key in ARRAYS:
            arrays[key][i] = getattr(frame, key)
        with _Worker.counter.get_lock():
            _Worker.counter.value += 1
    path = Path(config.out) / name
    write_shard(path, arrays)
    return name, sha256_of(path)
