"""`kprl keypoints`: the self-supervised representation."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from kprl.commands.shown import as_line, require_at_least

Preset = Literal["paper", "large", "gpu", "cpu", "quick"]
Device = Literal["auto", "cpu", "cuda"]
Representation = Literal["keypoints", "ae", "vae", "ae-ft"]
Reconstruct = Literal["image", "truth"]
Precision = Literal["auto", "float32", "bfloat16"]


def train(
    data: Path,
    out: Path,
    preset: Preset = "quick",
    num_keypoints: int = 12,
    seed: int = 0,
    minutes: float | None = None,
    steps: int | None = None,
    threads: int = 2,
    device: Device = "auto",
    precision: Precision = "auto",
    variant: str = "none",
    representation: Representation = "keypoints",
    reconstruct: Reconstruct | None = None,
    pretrained: Path | None = None,
) -> None:
    """Train the keypoint autoencoder, or one of its rivals, on generated images.

    A training that was killed goes on when the same command is given again. With several GPUs:
    torchrun --nproc-per-node N -m kprl.cli keypoints train ...

    Args:
        data: Folder of `kprl data generate`.
        out: Folder for the keypoint model.
        preset: paper: section III-C1 as written; gpu: the same network as cpu from larger batches, for
            minutes on a GPU; large: a wider one for scenes with clutter, likewise; cpu, quick: what a laptop trains.
        num_keypoints: K.
        seed: Seed of weights, batches and augmentation.
        minutes: Wall-clock length, instead of the preset's.
        steps: Length in updates, instead of the preset's: then the result depends on seed and data alone.
        threads: Processor threads.
        device: auto: a GPU if there is one.
        precision: Of convolutions. auto: bfloat16 where the hardware multiplies it.
        variant: A change to the preset, as no_equivariance or paper_sharpness, for ablations.
        representation: What is learnt: keypoints, or a latent code of as many numbers (IV-B2).
        reconstruct: From what a rival learns: the image, or depth and classes as keypoints do.
        pretrained: File of ResNet-18's ImageNet weights for ae-ft; otherwise torch hub's cache.
    """
    from kprl.keypoints.train import train_keypoints
    from kprl.keypoints.train_config import TrainConfig
    from kprl.representations.factory import make_objective

    config = TrainConfig(data, out, preset, num_keypoints, seed, minutes, steps, threads, device, precision, variant)
    metrics = train_keypoints(
        config, make_objective=lambda p, k: make_objective(representation, p, k, reconstruct, pretrained)
    )
    if metrics is not None:  # one process of several speaks
        print(f"keypoints: {as_line(metrics)}\nwrote {out}")


def ablation(
    data: Path,
    out: Path,
    preset: Preset = "cpu",
    steps: int = 2500,
    seeds: int = 1,
    cells: tuple[str, ...] = (),
    images: int = 1000,
    probe_images: int = 6000,
    threads: int = 2,
    precision: Precision = "auto",
) -> None:
    """Measure what each loss, the number of keypoints and the representation buy: one training for each.

    A cell that is measured already is not trained again.

    Args:
        data: Folder of `kprl data generate`.
        out: Folder for the models, one result file for each, table.csv and table.md.
        preset: What every cell starts from.
        steps: Length of each training in updates.
        seeds: Trainings of each cell; the table shows the mean.
        cells: Names of the cells to measure; all if none is given.
        images: Test images in the training's domain, and as many in the shifted one.
        probe_images: From how many images a probe learns to tell where the object is.
        threads: Processor threads.
        precision: Of convolutions.
    """
    from kprl.benchmarks.ablation import CELLS, AblationConfig, as_markdown, run_ablation
    from kprl.errors import require_choice

    for name, value in (("steps", steps), ("seeds", seeds), ("images", images), ("probe_images", probe_images)):
        require_at_least(name, value, 1)
    by_name = {cell.name: cell for cell in CELLS}
    chosen = [by_name[require_choice("cell", name, list(by_name))] for name in cells] or list(CELLS)
    config = AblationConfig(data, out, preset, steps, seeds, images, probe_images, threads, precision)
    print(as_markdown(run_ablation(config, chosen)))


def evaluate(
    model: Path,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    images: int = 500,
    seed: int = 1_000_000,
    shifted: bool = False,
    probe_images: int = 6000,
    pictures: Path | None = None,
    json: Path | None = None,
) -> None:
    """Measure a keypoint model on fresh scenes.

    Args:
        model: Keypoint model folder.
        task: The task whose world is rendered.
        scene: Scene of the task.
        object: Object on the table; several, as cube+gear, take turns by chance.
        images: How many held-out images.
        seed: Decides the images; keep it away from the training data's.
        shifted: Measure in a domain that no training saw, config/world/shifted.yaml, instead of the training's.
        probe_images: From how many images, of the training's domain, a probe learns to tell where the object is.
        pictures: Folder for overlays.png (held-out images) and failures.png (those with most keypoints astray).
        json: File for the result.
    """
    from kprl.files import write_json
    from kprl.keypoints.encoder import load_encoder, load_keypoint_encoder
    from kprl.keypoints.evaluate import encode_all
    from kprl.keypoints.pictures import write_pictures
    from kprl.keypoints.probe import PROBE_SEED_DISTANCE
    from kprl.keypoints.quality import measure_quality
    from kprl.keypoints.scenes import render_scenes

    require_at_least("images", images, 1)
    require_at_least("probe_images", probe_images, 1)
    require_at_least("seed", seed, 0)
    encoder = load_keypoint_encoder(model) if pictures else load_encoder(model)  # latent codes cannot be drawn
    randomization = "shifted" if shifted else "train"
    scenes = render_scenes(task, scene, object, randomization, images=images, seed=seed)
    encoded = encode_all(encoder, scenes.dataset.grey)
    if pictures:
        write_pictures(pictures, scenes.dataset, encoded)
    probe_seed = seed + PROBE_SEED_DISTANCE
    probe_scenes = render_scenes(task, scene, object, "train", images=probe_images, seed=probe_seed)
    quality = measure_quality(encoder, encoded, scenes, probe_scenes, seed)
    print(quality.report())
    if json:
        write_json(json, scenes.dataset.config | {"probe_images": probe_images} | quality.as_json())


def card(model: Path, images: int = 2000, seed: int = 1_000_000, probe_images: int = 6000) -> None:
    """Measure a keypoint model, as eval does, on held-out and on shifted scenes, and write its model card.

    Args:
        model: Keypoint model folder, to which README.md, held-out/ and shifted/ are added.
        images: Images of each domain.
        seed: Decides the images; keep it away from the training data's.
        probe_images: From how many images a probe learns to tell where the object is.
    """
    from kprl.files import atomic_file
    from kprl.keypoints.card import DOMAINS, FILE, RESULT, model_card
    from kprl.keypoints.encoder import load_keypoint_encoder
    from kprl.keypoints.folder import read_description

    load_keypoint_encoder(model)
    description = read_description(model)
    data = description["training"]["data"]
    world = (data["task"], data["scene"], data["object"])
    for folder, randomization in DOMAINS.items():
        shifted, out = randomization == "shifted", model / folder
        evaluate(model, *world, images, seed, shifted, probe_images, pictures=out, json=out / RESULT)
    with atomic_file(model / FILE) as path:
        path.write_text(model_card(model, description))
    print(f"wrote {model / FILE}")
