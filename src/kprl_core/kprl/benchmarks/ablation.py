"""What each choice of the keypoint training buys: one change a cell, all else equal, on the same test scenes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kprl.data.shards import read_manifest
from kprl.errors import KprlError
from kprl.files import atomic_file, read_json, write_json
from kprl.keypoints.encoder import load_encoder
from kprl.keypoints.evaluate import encode_all
from kprl.keypoints.probe import PROBE_SEED_DISTANCE
from kprl.keypoints.quality import measure_quality
from kprl.keypoints.scenes import Scenes, render_scenes
from kprl.keypoints.train import train_keypoints
from kprl.keypoints.train_config import TrainConfig
from kprl.keypoints.variants import VARIANTS
from kprl.representations.factory import make_objective

TEST_SEED = 1_000_000  # of the test scenes; far from the training's
DOMAINS = ("train", "shifted")
FIGURES = (
    "on_target",
    "objects_covered",
    "confident",
    "equivariance_px",
    "wander_px",
    "position_error_mm",
)


@dataclass(frozen=True)
class Cell:
    """One column of choices; the defaults are the preset's."""

    name: str
    variant: str = "none"
    num_keypoints: int = 12
    representation: str = "keypoints"
    reconstruct: str | None = None


CELLS = (
    Cell("preset"),
    *(Cell(variant, variant) for variant in VARIANTS if variant not in ("none", "no_attack")),
    *(Cell(f"k{count}", num_keypoints=count) for count in (8, 10, 14)),
    *(Cell(name, representation=name, reconstruct="image") for name in ("ae", "vae", "ae-ft")),
    *(Cell(f"{name}-truth", representation=name, reconstruct="truth") for name in ("ae", "vae", "ae-ft")),
)


@dataclass(frozen=True)
class AblationConfig:
    """Every cell is trained for `steps` with each seed from 0 to `seeds` - 1."""

    data: Path
    out: Path
    preset: str = "cpu"
    steps: int = 2500
    seeds: int = 1
    images: int = 1000  # of each test domain
    probe_images: int = 6000
    threads: int = 2
    precision: str = "auto"


def run_ablation(config: AblationConfig, cells: Sequence[Cell] = CELLS) -> list[dict[str, Any]]:
    """Train and measure what is not measured yet, then write table.csv and table.md; returns the rows.

    Errors: `KprlError` as of `train_keypoints`, and if results of other settings lie in `config.out`.
    """
    settings = {
        "data": read_manifest(config.data)[0],
        **{name: getattr(config, name) for name in ("preset", "steps", "images", "probe_images", "precision")},
    }
    scenes: dict[str, Scenes] = {}
    rows = []
    for cell in cells:
        results = []
        for seed in range(config.seeds):
            path = config.out / f"{cell.name}-{seed}.json"
            if not path.exists():
                scenes = scenes or _scenes(config)
                write_json(path, {"settings": settings, **_measure(config, cell, seed, scenes)})
            result = read_json(path)
            for name, value in settings.items():
                if result["settings"].get(name) != value:
                    raise KprlError(
                        f"{path} is of {name} {result['settings'].get(name)}, not {value}: choose another --out"
                    )
            results.append(result)
        rows.append(_row(cell, results))
        _write_tables(config.out, rows)
    return rows


def _measure(config: AblationConfig, cell: Cell, seed: int, scenes: dict[str, Scenes]) -> dict[str, Any]:
    model = config.out / f"{cell.name}-{seed}"
    train = TrainConfig(
        config.data, model, config.preset, cell.num_keypoints, seed, steps=config.steps,
        threads=config.threads, precision=config.precision, variant=cell.variant,
    )  # fmt: skip
    train_keypoints(train, make_objective=lambda p, k: make_objective(cell.representation, p, k, cell.reconstruct))
    encoder = load_encoder(model)
    result = {}
    for domain in DOMAINS:
        encoded = encode_all(encoder, scenes[domain].dataset.grey)
        result[domain] = measure_quality(encoder, encoded, scenes[domain], scenes["probe"], TEST_SEED).as_json()
    return {**result, "training": read_json(model / "keypoints.json")["training"]}


def _scenes(config: AblationConfig) -> dict[str, Scenes]:
    shown, _ = read_manifest(config.data)
    world = (str(shown["task"]), str(shown["scene"]), str(shown["object"]))
    scenes = {domain: render_scenes(*world, domain, images=config.images, seed=TEST_SEED) for domain in DOMAINS}
    probe_seed = TEST_SEED + PROBE_SEED_DISTANCE
    scenes["probe"] = render_scenes(*world, "train", images=config.probe_images, seed=probe_seed)
    return scenes


def _row(cell: Cell, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the seeds; None where a figure does not exist."""
    row: dict[str, Any] = {"cell": cell.name, "seeds": len(results)}
    row["minutes"] = float(np.mean([result["training"]["minutes"] for result in results]))
    for domain in DOMAINS:
        for figure in FIGURES:
            values = [result[domain][figure] for result in results]
            row[f"{domain}/{figure}"] = None if None in values else float(np.mean(values))
    return row


def _write_tables(out: Path, rows: list[dict[str, Any]]) -> None:
    with atomic_file(out / "table.csv") as path, path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with atomic_file(out / "table.md") as path:
        path.write_text(as_markdown(rows))


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """Each figure as held out / shifted."""
    titles = [
        "",
        "on gripper or target",
        "objects covered",
        "confident",
        "equivariance [px]",
        "wander [px]",
        "position [mm]",
    ]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for row in rows:
        pairs = [" / ".join(_shown(row[f"{domain}/{figure}"], figure) for domain in DOMAINS) for figure in FIGURES]
        lines.append("| " + " | ".join([row["cell"], *pairs]) + " |")
    return "\n".join(lines) + "\n"


def _shown(value: float | None, figure: str) -> str:
    if value is None:
        return "-"
    if figure in ("on_target", "objects_covered", "confident"):
        return f"{100.0 * value:.1f} %"
    return f"{value:.1f}" if figure.endswith("_mm") else f"{value:.2f}"
