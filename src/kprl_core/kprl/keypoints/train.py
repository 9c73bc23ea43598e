"""Keypoint training: from a folder of simulated images to a keypoint model folder."""

from __future__ import annotations

import copy
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from kprl.data.dataset import Dataset, load_dataset
from kprl.errors import KprlError
from kprl.files import atomic_folder
from kprl.keypoints.compute import Compute, choose_compute
from kprl.keypoints.feed import split
from kprl.keypoints.folder import DESCRIPTION_FILE, read_description
from kprl.keypoints.group import Group, join_group, local_rank
from kprl.keypoints.log import BOARD_FOLDER, METRICS_FILE
from kprl.keypoints.objective import KeypointObjective, Objective
from kprl.keypoints.presets import Preset
from kprl.keypoints.save_model import save_model
from kprl.keypoints.split_norm import join_batch_norms
from kprl.keypoints.train_config import TrainConfig
from kprl.keypoints.trainer import Trainer
from kprl.keypoints.work_folder import CHECKPOINT, work_folder, work_folder_of
from kprl.preprocess import count_blind
from kprl.provenance import provenance

MIN_IMAGES = 40  # fewer leave nothing to validate on
TOP_LEVEL = ("num_keypoints", "architecture")  # of an identity, outside keypoints.json's "training"
BLIND_SHARE = 0.01  # of the images that may show nothing

MakeObjective = Callable[[Preset, int], Objective]
"""From the hyperparameters and the number of keypoints."""


def train_keypoints(
    config: TrainConfig, progress: bool = True, make_objective: MakeObjective = KeypointObjective
) -> dict[str, float] | None:
    """Train and write the model folder `config.out`; returns the metrics on held-out images.

    The work is done in `<out>.training`; a training that was killed there goes on from its last checkpoint, and ends
    as if it had not been. A finished one is not done again. Started by torchrun, the processes share each batch;
    only the first writes and returns something.

    Errors: `KprlError` if the data is unusable, `config.out` is something other than a model folder, another training
    lies in the work folder, or the training diverges; `config.out` is then left as it was.
    """
    _require_replaceable(config.out)
    torch.set_num_threads(config.threads)
    compute = choose_compute(config.device, config.precision, local_rank())
    with join_group(compute.device) as group:
        dataset = _load(config.data)
        torch.manual_seed(config.seed)  # decides the first weights
        objective = make_objective(config.hyperparameters(), config.num_keypoints)
        identity = _identity(config, dataset, objective, compute, group)
        metrics = _metrics_of_finished(config.out, identity)
        if metrics is not None:
            if group.first:
                print(f"kprl: {config.out} is this model already: delete it to train it anew", file=sys.stderr)
            return metrics if group.first else None
        held = work_folder(config.out, identity) if group.first else nullcontext(work_folder_of(config.out))
        with held as work:
            group.wait()  # for the first process to have looked at the folder
            trainer = Trainer(config, objective, dataset, work, compute, group)
            if group.first and trainer.progress.step:
                print(f"kprl: going on from step {trainer.progress.step} in {work}", file=sys.stderr)
            trainer.run(progress and group.first)
            return _finish(trainer, identity) if group.first else None


def _finish(trainer: Trainer, identity: dict[str, Any]) -> dict[str, float]:
    """Write the model folder, then drop the checkpoint."""
    config, work, device = trainer.config, trainer.work, trainer.compute.device
    objective = copy.deepcopy(trainer.objective).cpu().eval()  # type: ignore[attr-defined]
    join_batch_norms(objective)
    training = {
        **{name: value for name, value in identity.items() if name not in TOP_LEVEL},
        "steps": trainer.progress.step,
        "minutes": round(trainer.schedule.elapsed() / 60.0, 2),
        "depth_scale_m": asdict(trainer.scale),
        "held_out_images": len(split(identity["data"]["images"], config.seed)[1]),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": config.threads,
        **provenance("torch", "onnxruntime"),
    }
    with atomic_folder(config.out) as folder:
        description = {"preset": config.preset, "training": training}
        metrics = save_model(folder, objective, config.num_keypoints, trainer.held_out, description)
        shutil.copy(work / METRICS_FILE, folder)
        shutil.copytree(work / BOARD_FOLDER, folder / BOARD_FOLDER)
    (work / CHECKPOINT).unlink()
    return metrics


def _metrics_of_finished(out: Path, identity: dict[str, Any]) -> dict[str, float] | None:
    """The metrics of the undamaged model in `out` if it is what a training of `identity` would make."""
    if not (out / DESCRIPTION_FILE).is_file():
        return None
    try:
        description = read_description(out)
    except KprlError:
        return None  # damaged or of another version: to be made anew
    found = {**description["training"], **{name: description[name] for name in TOP_LEVEL}}
    if any(found.get(name) != value for name, value in json.loads(json.dumps(identity)).items()):
        return None
    return dict(description["metrics"])


def _identity(
    config: TrainConfig, dataset: Dataset, objective: Objective, compute: Compute, group: Group
) -> dict[str, Any]:
    """What decides how the training goes: a resumed one must have the same."""
    return {
        "preset": config.preset,
        "variant": config.variant,
        "num_keypoints": config.num_keypoints,
        "seed": config.seed,
        "length": {"steps": config.steps, "minutes": config.minutes},
        "precision": compute.precision,
        "processes": group.size,
        "architecture": objective.architecture,
        "hyperparameters": asdict(config.hyperparameters()),
        "data": dataset.config,
    }


def _load(data: Path) -> Dataset:
    dataset = load_dataset(data)
    if len(dataset) < MIN_IMAGES:
        raise KprlError(f"{data} holds {len(dataset)} images: expected at least {MIN_IMAGES}")
    blind = count_blind(dataset.grey)
    if blind > BLIND_SHARE * len(dataset):
        raise KprlError(f"{blind} of the {len(dataset)} images in {data} show nothing: generate them anew")
    return dataset


def _require_replaceable(out: Path) -> None:
    if out.exists() and not (out / DESCRIPTION_FILE).is_file():
        if not out.is_dir() or any(out.iterdir()):
            raise KprlError(f"{out} exists and is not a keypoint model folder: choose another folder")
