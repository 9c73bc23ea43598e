"""The folder of one data set while it is made: one writer, no leftovers, nothing foreign, what is finished."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from kprl.data.config import GenerateConfig
from kprl.data.shards import MANIFEST, read_manifest, shard_sizes
from kprl.errors import KprlError
from kprl.files import sha256_of

LEFTOVER = re.compile(r"\.(shard-\d{5}-\w{8}\.npz|manifest-\w{8}\.json)")  # what `atomic_file` had not yet renamed


def finished_shards(config: GenerateConfig) -> dict[str, str]:
    """Checksums of the whole shards in `config.out`, from which leftovers of killed writers are removed.

    Errors: `KprlError` if the folder belongs to another data set, or holds something else.
    """
    folder = config.out
    for path in folder.iterdir():
        if LEFTOVER.fullmatch(path.name):
            path.unlink()
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if MANIFEST not in names:
        if names:
            raise KprlError(f"{folder} is not empty ({names[0]}) and holds no {MANIFEST}: choose another folder")
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
    if foreign := [name for name in [*names, *checksums] if name != MANIFEST and name not in wanted]:
        raise KprlError(f"{folder / foreign[0]} is not part of this data set: remove it or choose another folder")
    return {name: digest for name, digest in checksums.items() if _is_whole(folder / name, digest)}


def _is_whole(path: Path, digest: str) -> bool:
    if path.is_file() and sha256_of(path) == digest:
        return True
    fault = "is damaged (its checksum is not the recorded one)" if path.exists() else "is missing"
    print(f"kprl: {path} {fault}: making it anew", file=sys.stderr)
    return False
