"""Files that are whole or absent: written beside their final place and renamed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from kprl.errors import KprlError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it is flushed to disk and renamed over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept: savers such as matplotlib choose the format by it.
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.chmod(0o644)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a folder beside `path` to fill; on success it takes the place of `path`, on error it vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    beside.chmod(0o755)
    try:
        yield beside
        if path.exists():
            # os.replace cannot take a filled folder's place: step the old one aside first.
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
            os.replace(path, old / path.name)
            os.replace(beside, path)
            shutil.rmtree(old)
        else:
            os.replace(beside, path)
    finally:
        if beside.exists():
            shutil.rmtree(beside)


def after_kill(path: Path) -> None:
    """Clear away what a process killed in `atomic_file` or `atomic_folder` left beside `path`.

    For the process that alone writes there. If the kill fell between the two renames of a folder, it is put back.
    """
    for aside in path.parent.glob(f".{path.name}-old-*"):
        if not path.exists() and (aside / path.name).exists():
            os.replace(aside / path.name, path)
        shutil.rmtree(aside)
    for stale in path.parent.glob(f".{path.stem}-*{path.suffix}"):
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()


@contextmanager
def disk_errors(folder: Path, advice: str) -> Iterator[None]:
    """A write inside that fails, as on a full disk, becomes a `KprlError` that names `folder` and ends in `advice`."""
    try:
        yield
    except (OSError, SafetensorError) as error:  # safetensors has an exception of its own for a full disk
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise KprlError(f"cannot write to {folder}: {reason}: {advice}") from None


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_file(path) as beside:
        beside.write_text(json.dumps(value, indent=2, sort_keys=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; a missing or damaged file is a `KprlError` that names it."""
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise KprlError(f"{path} does not exist: expected a JSON file there") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise KprlError(f"{path} is damaged ({error}): restore it or make it anew") from None
    if not isinstance(value, dict):
        raise KprlError(f"{path} holds a {type(value).__name__}: expected a JSON object")
    return value


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def verify_checksums(folder: Path, checksums: dict[str, str]) -> None:
    """Raise a `KprlError` for the first file of `folder` that is missing or differs from its checksum."""
    for name, expected in checksums.items():
        path = folder / name
        if not path.is_file():
            raise KprlError(f"{path} is missing: {folder} is incomplete, restore it or train it anew")
        if sha256_of(path) != expected:
            raise KprlError(f"{path} is damaged (its checksum is not the recorded one): restore it or train it anew")
