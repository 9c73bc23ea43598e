"""A policy training's whole state in one file, from which it goes on as if it had not been interrupted."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from kprl.errors import KprlError
from kprl.rl.config import TrainPolicyConfig
from kprl.tensor_file import load_tensors, save_tensors

FORMAT, VERSION = "kprl-policy-training", 1
STATE = "training.safetensors"
EXTENDABLE = ("steps", "minutes", "device", "compile")
"""Settings that may change from one part of a training to the next: what is learnt does not depend on them, but for the
last bits of a sum."""


def save_state(
    folder: Path, config: TrainPolicyConfig, learner: Mapping[str, Tensor], progress: Mapping[str, Any]
) -> None:
    """Write the learner's state, replay included, and `progress` (JSON values) into the training's folder."""
    values = {"config": dataclasses.asdict(config), "progress": dict(progress)}
    save_tensors(folder / STATE, FORMAT, VERSION, learner, values)


def load_state(folder: Path, config: TrainPolicyConfig) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Learner's state and progress of an interrupted training with the same settings.

    Errors: `KprlError` if there is none, it is damaged, or its settings differ in more than EXTENDABLE.
    """
    if not (folder / STATE).is_file():
        raise KprlError(f"{folder} holds no training to resume ({STATE} is missing): start it without resume")
    tensors, values = load_tensors(folder / STATE, FORMAT, VERSION, "start the training again in another folder")
    expected, usual = (json.loads(json.dumps(dataclasses.asdict(each))) for each in (config, TrainPolicyConfig()))
    for name, value in expected.items():
        # One that an older version did not know had the effect of its default.
        found = values["config"].get(name, usual[name])
        if found != value and name not in EXTENDABLE:
            raise KprlError(
                f"{folder} holds a training with {name} {found}, not {value}: resume it with its own settings"
            )
    return tensors, values["progress"]
