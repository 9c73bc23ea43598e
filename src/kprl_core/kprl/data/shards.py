"""Shards: plain .npz files of a few hundred images, and the manifest that lists them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from kprl.data.config import FORMAT, SHARD_IMAGES, VERSION
from kprl.errors import KprlError
from kprl.files import atomic_file, read_json, write_json
from kprl.preprocess import IMAGE_SIZE

MANIFEST = "manifest.json"
ARRAYS: dict[str, np.dtype[Any]] = {
    "grey": np.dtype(np.uint8),
    "depth": np.dtype(np.float16),
    "segmentation": np.dtype(np.uint8),
}
"""Arrays of a shard, each (n, 64, 64): grey level, depth [m], class (0 background, 1 gripper, 2 target).

Half precision resolves depth to 0.5 mm at 1 m, far below what the decoder can predict.
"""


def shard_name(index: int) -> str:
    """File name of shard `index`."""
    return f"shard-{index:05d}.npz"


def shard_sizes(images: int) -> dict[str, int]:
    """Names of all shards of a data set with the number of images in each."""
    starts = range(0, images, SHARD_IMAGES)
    return {shard_name(i): min(SHARD_IMAGES, images - start) for i, start in enumerate(starts)}


def encode_shard(arrays: dict[str, np.ndarray]) -> bytes:
    """The content of a shard's file, uncompressed; `arrays` as in `ARRAYS`. Equal arrays give equal bytes."""
    grey, depth, segmentation = (np.asarray(arrays[name], dtype) for name, dtype in ARRAYS.items())
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, grey=grey, depth=depth, segmentation=segmentation)
    return file.getvalue()


def write_shard(path: Path, content: bytes) -> None:
    """Write what `encode_shard` made, atomically."""
    with atomic_file(path) as beside:
        beside.write_bytes(content)


def read_shard(path: Path, images: int) -> dict[str, np.ndarray]:
    """Read one shard, or raise a `KprlError` if its content is not `images` images of a data set."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise KprlError(f"{path} is not a shard of kprl images ({error}): generate it anew") from None
    expected = (images, IMAGE_SIZE, IMAGE_SIZE)
    for name, dtype in ARRAYS.items():
        if arrays[name].shape != expected or arrays[name].dtype != dtype:
            found = f"{arrays[name].dtype} {arrays[name].shape}"
            raise KprlError(f"{path}: {name} is {found}, expected {dtype} {expected}: generate it anew")
    return arrays


def write_manifest(folder: Path, identity: dict[str, Any], checksums: dict[str, str]) -> None:
    """Write manifest.json: the configuration and the checksums of the shards that are finished."""
    shards = [{"file": name, "sha256": checksums[name]} for name in sorted(checksums)]
    write_json(folder / MANIFEST, {"format": FORMAT, "version": VERSION, "config": identity, "shards": shards})


def read_manifest(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return (configuration, checksum of each finished shard) of a data folder."""
    path = folder / MANIFEST
    if not path.is_file():
        raise KprlError(f"{folder} is not a kprl data folder (no {MANIFEST}): make one with 'kprl data generate'")
    manifest = read_json(path)
    found = (manifest.get("format"), manifest.get("version"))
    if found != (FORMAT, VERSION):
        raise KprlError(f"{path} is {found[0]} version {found[1]}: expected {FORMAT} version {VERSION}")
    config = manifest.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("images"), int) or config["images"] < 1:
        raise KprlError(f"{path} is damaged (no number of images): generate the data anew")
    try:
        return config, {entry["file"]: entry["sha256"] for entry in manifest["shards"]}
    except (KeyError, TypeError):
        raise KprlError(f"{path} is damaged (no list of shards): generate the data anew") from None
