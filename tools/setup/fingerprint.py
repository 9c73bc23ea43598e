"""Remember what a set-up step was done for, so that the next `make setup` skips what has not changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def fingerprint(values: Iterable[str], files: Iterable[Path]) -> str:
    """Return a digest of plain values and of the files' paths and contents, in the order given."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(f"value {len(value)} {value}\n".encode())
    for path in files:
        content = path.read_bytes()
        digest.update(f"file {path} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def read(path: Path) -> dict[str, str]:
    """Return {step: fingerprint}; empty before the first set-up."""
    return json.loads(path.read_text()) if path.exists() else {}


def remember(path: Path, step: str, value: str) -> None:
    """Store one step's fingerprint beside the others."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(read(path) | {step: value}, indent=2) + "\n")
    partial.replace(path)
