"""What decides how an image comes out besides its settings: the code, for machines that must agree on it."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import kprl
from kprl.errors import KprlError

PACKAGES = ("numpy", "pybullet", "scipy")


@lru_cache(maxsize=1)
def code_identity() -> dict[str, str]:
    """Versions of the packages that draw, and one digest of kprl's own files."""
    folder = Path(kprl.__file__).parent
    digest = hashlib.sha256()
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            path = Path(parent, name)
            digest.update(f"{path.relative_to(folder)}\n{path.stat().st_size}\n".encode() + path.read_bytes())
    versions = {package: version(package) for package in PACKAGES}
    return {"kprl": digest.hexdigest()[:12], "python": platform.python_version(), **versions}


def require_same_code(expected: dict[str, str]) -> None:
    """Raise a `KprlError` that names the first difference between this machine's code and `expected`."""
    for name, found in code_identity().items():
        if found != expected.get(name):
            raise KprlError(
                f"{platform.node()} has {name} {found}, not {expected.get(name)}: its images could differ, "
                "check out the same commit there and run 'make setup'"
            )
