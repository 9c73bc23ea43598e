"""Checkpoints of a policy training: folders that are whole or absent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from kprl.errors import KprlError
from kprl.files import atomic_folder, read_json, sha256_of, verify_checksums, write_json
from kprl.rl.policy import Policy, save_policy

POLICY, LEARNER, DESCRIPTION = "policy.safetensors", "learner.safetensors", "checkpoint.json"
NETWORK_SETTINGS = ("algo", "critic", "actor_hidden", "critic_hidden", "normalise", "estimation")
WHERE = ("", "policy/checkpoints/best", "checkpoints/best", "checkpoint")


def save_checkpoint(
    folder: Path, policy: Policy, learner: Mapping[str, torch.Tensor], description: Mapping[str, Any]
) -> None:
    """Write policy, learner state and `description` (JSON values) as one folder, replacing an older one."""
    with atomic_folder(folder) as beside:
        save_policy(policy, beside / POLICY)
        save_file(dict(learner), beside / LEARNER)
        checksums = {name: sha256_of(beside / name) for name in (POLICY, LEARNER)}
        write_json(beside / DESCRIPTION, {**description, "sha256": checksums})


def find_checkpoint(folder: Path) -> Path:
    """The checkpoint in a run folder, a bundle or a folder of its own; `KprlError` where there is none."""
    for inside in WHERE:
        if (folder / inside / DESCRIPTION).is_file():
            return folder / inside
    raise KprlError(f"{folder} holds no checkpoint: pass a run folder, a bundle or the folder of a {DESCRIPTION}")


def network_settings(folder: Path) -> dict[str, Any]:
    """The settings (see kprl.rl.config) that the networks of a checkpoint are made for: others do not fit them."""
    config = read_json(folder / DESCRIPTION).get("config", {})
    found = {name: config[name] for name in NETWORK_SETTINGS if name in config}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def load_checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The learner state and the description; the policy is read with `load_policy(folder / POLICY)`.

    A missing or damaged checkpoint is a `KprlError`.
    """
    description = read_json(folder / DESCRIPTION)
    verify_checksums(folder, description.get("sha256", {}))
    try:
        return load_file(folder / LEARNER), description
    except (SafetensorError, OSError) as error:
        raise KprlError(f"{folder / LEARNER} is damaged ({error}): restore it or train anew") from None
