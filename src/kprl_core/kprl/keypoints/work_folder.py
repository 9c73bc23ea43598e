"""The folder beside a model in which its training is done, and from which a killed one goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kprl.errors import KprlError
from kprl.files import read_json, write_json
from kprl.keypoints.log import BOARD_FOLDER, METRICS_FILE
from kprl.locks import sole_holder

LOCK = ".train.lock"
IDENTITY = "training.json"
CHECKPOINT = "checkpoint.safetensors"
SUFFIX = ".training"
OURS = (IDENTITY, CHECKPOINT, METRICS_FILE, BOARD_FOLDER)


def work_folder_of(out: Path) -> Path:
    """Where the training of the model `out` works."""
    return out.with_name(out.name + SUFFIX)


@contextmanager
def work_folder(out: Path, identity: dict[str, Any]) -> Iterator[Path]:
    """Hold the work folder of `out` for a training of `identity` (JSON values).

    Afterwards it stays if a checkpoint is in it, from which to go on; the block removes that of a finished training.
    Errors: `KprlError` if another process trains there, or an interrupted training of another identity or something
    foreign lies there.
    """
    folder = work_folder_of(out)
    if folder.is_dir() and not (folder / IDENTITY).exists():
        if names := sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")):
            raise KprlError(f"{folder} holds {names[0]} and is not a training's folder: move it away")
    with sole_holder(folder, LOCK, "kprl keypoints train"):
        path = folder / IDENTITY
        identity = json.loads(json.dumps(identity))
        if (folder / CHECKPOINT).exists():
            _require_same(folder, read_json(path), identity)
        else:
            write_json(path, identity)
        try:
            yield folder
        finally:
            if not (folder / CHECKPOINT).exists():
                _remove(folder)


def _remove(folder: Path) -> None:
    """Delete what a training writes, and the folder if nothing else is in it."""
    for path in folder.iterdir():
        if path.name in OURS or path.name.startswith("."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _require_same(folder: Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name in {**expected, **found}:  # in the order of the identity: what a user sets comes first
        if found.get(name) != expected.get(name):
            raise KprlError(
                f"{folder} holds an interrupted training with {name} {found.get(name)}, not {expected.get(name)}: "
                "finish it with its own settings, or delete that folder"
            )
