"""Tensors and JSON values in one safetensors file that is whole or absent, and says whether it is undamaged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from kprl.errors import KprlError
from kprl.files import atomic_file


def save_tensors(path: Path, kind: str, version: int, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
    """Write `tensors` and `values` (JSON) as `kind`; an older file stays until the new one is on disk."""
    # Clones: safetensors refuses tensors that share memory, as views of one weight would.
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    head = {"format": kind, "version": str(version), "digest": _digest(plain), "values": json.dumps(dict(values))}
    with atomic_file(path) as beside:
        save_file(plain, beside, metadata=head)


def load_tensors(path: Path, kind: str, version: int, mend: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save_tensors` wrote.

    Errors: `KprlError`, which ends in `mend`, what to do, if the file is damaged or of another kind or version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            head = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError) as error:
        raise KprlError(f"{path} is damaged ({error}): {mend}") from None
    for name, expected in (("format", kind), ("version", str(version))):
        if head.get(name) != expected:
            raise KprlError(f"{path}: {name} is {head.get(name)}, expected {expected}: {mend}")
    if head.get("digest") != _digest(tensors):
        raise KprlError(f"{path} is damaged (its checksum is not the recorded one): {mend}")
    values: dict[str, Any] = json.loads(head["values"])
    return tensors, values


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()
