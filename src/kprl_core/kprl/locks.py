"""One process a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kprl.errors import KprlError


@contextmanager
def sole_holder(folder: Path, lock: str, command: str) -> Iterator[None]:
    """Hold `folder`, which is created if absent, for this process alone; a killed process holds nothing.

    `lock`: name of the lock file inside, there while the folder is held; `command`: who holds such folders.
    Errors: `KprlError` if another process holds it, or it is not a folder.
    """
    if folder.exists() and not folder.is_dir():
        raise KprlError(f"{folder} is a file: expected a folder to write to")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / lock
    handle = _open_locked(path, command)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _open_locked(path: Path, command: str) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise KprlError(
                f"{path.parent} is being filled by another '{command}': wait until it is done, or choose another folder"
            ) from None
        if _is_at(handle, path):
            return handle
        os.close(handle)  # the holder before removed the file between our two calls: try that of now


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
