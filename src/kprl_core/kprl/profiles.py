"""Profiles: how much data, how long to learn keypoints and policy. One YAML file each in config/profiles."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from kprl.errors import KprlError, require_choice

T = TypeVar("T")


@dataclass(frozen=True)
class DataProfile:
    """Stage 1: images for the keypoints."""

    images: int
    workers: int


@dataclass(frozen=True)
class KeypointProfile:
    """Stage 2: the keypoints."""

    preset: str
    num_keypoints: int
    minutes: float


@dataclass(frozen=True)
class PolicyProfile:
    """Stage 3: the policy, over topics."""

    preset: str
    steps: int
    minutes: float
    random_steps: int
    evaluation_episodes: int
    final_episodes: int


@dataclass(frozen=True)
class Profile:
    """A whole training run."""

    name: str
    data: DataProfile
    keypoints: KeypointProfile
    policy: PolicyProfile


def profile_names(folder: Path) -> list[str]:
    """Names of the profiles in a folder."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def read_profile(folder: Path, name: str) -> Profile:
    """The profile of a name; KprlError names the choices, or what is wrong in the file."""
    path = folder / f"{require_choice('profile', name, profile_names(folder))}.yaml"
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise KprlError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    stages = {"data": DataProfile, "keypoints": KeypointProfile, "policy": PolicyProfile}
    _require_keys(path, "the file", content, list(stages))
    return Profile(name, **{key: _stage(path, key, kind, content[key]) for key, kind in stages.items()})


def _stage(path: Path, name: str, kind: type[T], content: Any) -> T:
    types: dict[str, Any] = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    _require_keys(path, name, content, list(types))
    values = {}
    for key, wanted in types.items():
        value = content[key]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = isinstance(value, str) if wanted == "str" else is_number and value > 0
        if not fits or (wanted == "int" and not isinstance(value, int)):
            what = "a text" if wanted == "str" else f"{wanted} above 0"
            raise KprlError(f"{path}: {name}.{key} is {value!r}, expected {what}")
        values[key] = value
    return kind(**values)


def _require_keys(path: Path, where: str, content: Any, keys: list[str]) -> None:
    if not isinstance(content, dict) or set(content) != set(keys):
        found = ", ".join(map(str, content)) if isinstance(content, dict) else repr(content)
        raise KprlError(f"{path}: {where} has {found}, expected exactly {', '.join(keys)}")
