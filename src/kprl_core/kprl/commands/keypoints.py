"""`kprl keypoints`: the self-supervised representation."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from kprl.commands.shown import as_line, require_at_least

Preset = Literal["paper", "cpu", "quick"]


def train(
    data: Path,
    out: Path,
    preset: Preset = "quick",
    num_keypoints: int = 12,
    seed: int = 0,
    minutes: float | None = None,
    steps: int | None = None,
    threads: int = 2,
) -> None:
    """Train the keypoint autoencoder on generated images.

    Args:
        data: Folder of `kprl data generate`.
        out: Folder for the keypoint model.
        preset: paper: section III-C1 as written; cpu, quick: what a laptop trains in minutes.
        num_keypoints: K.
        seed: Seed of weights, batches and augmentation.
        minutes: Wall-clock length, instead of the preset's.
        steps: Length in updates, instead of the preset's: then the result depends on seed and data alone.
        threads: Processor threads.
    """
    from kprl.keypoints.train import TrainConfig, train_keypoints

    metrics = train_keypoints(TrainConfig(data, out, preset, num_keypoints, seed, minutes, steps, threads))
    print(f"keypoints: {as_line(dataclasses.asdict(metrics))}\nwrote {out}")


def evaluate(
    model: Path,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    images: int = 500,
    seed: int = 1_000_000,
    json: Path | None = None,
) -> None:
    """Measure a keypoint model on fresh scenes.

    Args:
        model: Keypoint model folder.
        task: The task whose world is rendered.
        scene: Scene of the task.
        object: Object on the table.
        images: How many held-out images.
        seed: Decides the images; keep it away from the training data's.
        json: File for the result.
    """
    from kprl.envs.world import World
    from kprl.files import write_json
    from kprl.keypoints.encoder import load_encoder
    from kprl.keypoints.evaluate import evaluate as measure
    from kprl.keypoints.evaluate import render_dataset

    require_at_least("images", images, 1)
    require_at_least("seed", seed, 0)
    encoder = load_encoder(model)
    world = World(task, scene, object)
    settings = {"task": task, "scene": scene, "object": object, "seed": seed}
    metrics = dataclasses.asdict(measure(encoder, render_dataset(world, images, seed, settings)))
    world.close()
    print(as_line(metrics))
    if json:
        write_json(json, settings | metrics)
