"""Keypoint training: from a folder of simulated images to a keypoint model folder."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.utils import convert_conv2d_weight_memory_format
from tqdm import tqdm

from kprl.data.dataset import Dataset, load_dataset
from kprl.errors import KprlError, require_choice
from kprl.files import atomic_folder
from kprl.keypoints import losses
from kprl.keypoints.augment import augment
from kprl.keypoints.decoder import gaussian_maps
from kprl.keypoints.encoder import OnnxEncoder
from kprl.keypoints.evaluate import Metrics, encode_all, evaluate
from kprl.keypoints.export import TorchEncoder, export_onnx
from kprl.keypoints.folder import DESCRIPTION_FILE, ONNX_FILE, WEIGHTS_FILE, write_description
from kprl.keypoints.layer import centroids, confidences, spatial_softmax
from kprl.keypoints.log import TrainingLog
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.overlay import overlay_grid, write_overlays
from kprl.keypoints.presets import PRESETS, Preset, Range
from kprl.keypoints.rotation import rotate_in_groups
from kprl.keypoints.targets import DepthScale, class_shares, depth_target
from kprl.preprocess import to_network

HELD_OUT_SHARE = 0.05
MIN_IMAGES = 40  # fewer leave nothing to validate on
WARM_UP = 0.1  # share of the training in which the learning rate rises, if one_cycle
LOG_PERIOD = 20  # steps between two rows of metrics.csv
VALIDATIONS = 4  # during the training, the last one at its end
OVERLAYS = 24  # held-out images in keypoints.png


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one keypoint training.

    The length is `steps` if given, else `minutes`, else the preset's. With `steps` the result depends on the
    seed and the data alone; with a wall-clock budget it also depends on the machine's speed.
    """

    data: Path
    out: Path
    preset: str = "quick"
    num_keypoints: int = 12
    seed: int = 0
    minutes: float | None = None
    steps: int | None = None
    threads: int = 2

    def __post_init__(self) -> None:
        require_choice("preset", self.preset, list(PRESETS))
        for name, least in (("num_keypoints", 2), ("seed", 0), ("steps", 1), ("threads", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise KprlError(f"{name} is {value}: expected at least {least}")
        if self.minutes is not None and not self.minutes > 0:
            raise KprlError(f"minutes is {self.minutes}: expected more than 0")


class Schedule:
    """Progress from 0 to 1, by steps or by the clock."""

    def __init__(self, config: TrainConfig, preset: Preset, images: int) -> None:
        minutes = config.minutes
        self.steps = config.steps
        if self.steps is None and minutes is None:
            if preset.epochs is not None:
                self.steps = max(1, preset.epochs * images // preset.batch_size)
            minutes = preset.minutes
        self.seconds = None if minutes is None else 60.0 * minutes
        self._start = time.monotonic()

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def progress(self, step: int) -> float:
        """Share of the training that is over when `step` steps are done."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.seconds is not None
        return min(1.0, self.elapsed() / self.seconds)


def train_keypoints(config: TrainConfig, progress: bool = True) -> Metrics:
    """Train and write the model folder `config.out`; returns the metrics on held-out images.

    Errors: `KprlError` if the data is unusable, `config.out` is something other than a model folder, or the
    loss becomes non-finite; `config.out` is then left as it was.
    """
    if config.out.exists() and not (config.out / DESCRIPTION_FILE).is_file():
        if not config.out.is_dir() or any(config.out.iterdir()):
            raise KprlError(f"{config.out} exists and is not a keypoint model folder: choose another folder")
    dataset = load_dataset(config.data)
    if len(dataset) < MIN_IMAGES:
        raise KprlError(f"{config.data} holds {len(dataset)} images: expected at least {MIN_IMAGES}")
    with atomic_folder(config.out) as folder:
        return Trainer(config, dataset, folder).run(progress)


class Trainer:
    """One training run."""

    def __init__(self, config: TrainConfig, dataset: Dataset, folder: Path) -> None:
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config, self.preset, self.folder = config, PRESETS[config.preset], folder
        self.rng = np.random.default_rng(config.seed)
        self.noise = torch.Generator().manual_seed(config.seed)
        order = self.rng.permutation(len(dataset))
        held_out = max(2, int(HELD_OUT_SHARE * len(dataset)))
        self.held_out = dataset.subset(np.sort(order[:held_out]))
        self.dataset, self.training = dataset, np.sort(order[held_out:])
        self.scale = DepthScale.of(dataset.depth)
        preset = self.preset
        self.model = Autoencoder(preset.architecture(config.num_keypoints))
        convert_conv2d_weight_memory_format(self.model, torch.channels_last)  # faster on CPUs
        self.optimiser = torch.optim.Adam(
            self.model.parameters(), lr=preset.learning_rate, amsgrad=preset.amsgrad, fused=True
        )

    def run(self, progress: bool) -> Metrics:
        """Train for the whole schedule, then write the model folder's files."""
        schedule = Schedule(self.config, self.preset, len(self.training))
        batches, step, validated, share = self._batches(), 0, 0, 0.0
        bar = tqdm(total=1000, desc="keypoints", unit="‰", disable=not progress, bar_format=BAR_FORMAT)
        with TrainingLog(self.folder) as log, bar:
            while share < 1.0:
                self._set_learning_rate(share)
                values = self._update(next(batches), share)
                step += 1
                share = schedule.progress(step)
                row = {"step": step, "seconds": schedule.elapsed(), **values}
                if not math.isfinite(values["loss"]):
                    raise KprlError(
                        f"the keypoint loss became {values['loss']} at step {step}: nothing was saved; "
                        "train with another seed, and look at the data with 'kprl data preview'"
                    )
                validate = share >= (validated + 1) / VALIDATIONS
                if validate:
                    validated += 1
                    row |= {f"held_out/{name}": value for name, value in asdict(self._validate()).items()}
                    log.image("overlay", self._overlay(), step)
                if validate or step % LOG_PERIOD == 0:
                    log.row(row)
                bar.set_postfix_str(f"step {step}, loss {values['loss']:.3f}", refresh=False)
                bar.update(int(1000 * share) - bar.n)
        return self._save(step, schedule.elapsed())

    def _batches(self) -> Iterator[np.ndarray]:
        """Endless indices of batches; each epoch is a new shuffle whose incomplete last batch is dropped."""
        size = min(self.preset.batch_size, len(self.training))
        while True:
            order = self.rng.permutation(self.training)
            for start in range(0, len(order) - size + 1, size):
                yield order[start : start + size]

    def _set_learning_rate(self, share: float) -> None:
        if self.preset.one_cycle:
            rise = min(1.0, (share + 1e-3) / WARM_UP)
            fall = 0.5 * (1.0 + math.cos(math.pi * max(0.0, (share - WARM_UP) / (1.0 - WARM_UP))))
            for group in self.optimiser.param_groups:
                group["lr"] = self.preset.learning_rate * rise * fall

    def _update(self, indices: np.ndarray, share: float) -> dict[str, float]:
        """One gradient step; returns the value of each loss."""
        self.model.train()
        images = torch.from_numpy(to_network(self.dataset.grey[indices]))
        if self.preset.augment:
            images = augment(images, self.noise)
        shares = class_shares(self.dataset.segmentation[indices])
        depth = depth_target(self.dataset.depth[indices], self.scale)
        terms = self._losses(images, shares, depth, share)
        weights = asdict(self.preset.weights)
        loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return {"loss": loss.item(), **{name: term.item() for name, term in terms.items()}}

    def _losses(self, images: Tensor, shares: Tensor, depth: Tensor, share: float) -> dict[str, Tensor]:
        """All loss terms: images (N, 1, 64, 64), class shares (N, 3, 32, 32), depth (N, 1, 32, 32)."""
        preset, n = self.preset, len(images)
        turned = images[: max(3, int(preset.equivariance_share * n))]
        both = torch.cat([images, rotate_in_groups(turned)]).contiguous(memory_format=torch.channels_last)
        features = self.model.encoder.features(both)
        maps = spatial_softmax(features, preset.sharpness)
        confidence = confidences(features[:n])
        keypoints = torch.cat([centroids(maps[:n]), confidence[..., None]], dim=-1)
        drawn = gaussian_maps(keypoints, _between(preset.gaussian, share))
        predicted_depth, logits = self.model.decoder(drawn.contiguous(memory_format=torch.channels_last))
        if preset.assigned:
            allowed = losses.assigned_foreground(shares, self.config.num_keypoints)
        else:
            allowed = losses.foreground(shares)
        return {
            "depth": losses.depth_loss(predicted_depth, depth),
            "segmentation": losses.segmentation_loss(logits, shares, _between(preset.hardest, share)),
            "proximity": losses.proximity_loss(keypoints, preset.proximity_sharpness),
            "background": losses.background_loss(maps[:n], allowed),
            "equivariance": losses.equivariance_loss(rotate_in_groups(maps[: len(turned)]), maps[n:]),
        }

    def _validate(self) -> Metrics:
        return evaluate(TorchEncoder(self.model.encoder, self.config.num_keypoints), self.held_out)

    def _overlay(self) -> np.ndarray:
        grey = self.held_out.grey[:OVERLAYS]
        return overlay_grid(grey, TorchEncoder(self.model.encoder, self.config.num_keypoints).encode(grey))

    def _save(self, steps: int, seconds: float) -> Metrics:
        """Write weights, ONNX export, overlays and keypoints.json; returns the metrics of the export."""
        folder, num_keypoints = self.folder, self.config.num_keypoints
        self.model.eval()
        save_file({k: v.contiguous() for k, v in self.model.state_dict().items()}, folder / WEIGHTS_FILE)
        (folder / WEIGHTS_FILE).chmod(0o644)  # the library makes it readable by the owner alone
        export_onnx(self.model.encoder, num_keypoints, folder / ONNX_FILE)
        encoder = OnnxEncoder(folder / ONNX_FILE, num_keypoints)
        metrics = evaluate(encoder, self.held_out)
        grey = self.held_out.grey[:OVERLAYS]
        write_overlays(folder / "keypoints.png", grey, encode_all(encoder, grey))
        description = {
            "preset": self.config.preset,
            "num_keypoints": num_keypoints,
            "architecture": self.model.architecture,
            "training": {
                "data": self.dataset.config,
                "seed": self.config.seed,
                "steps": steps,
                "minutes": round(seconds / 60.0, 2),
                "hyperparameters": asdict(self.preset),
                "depth_scale_m": asdict(self.scale),
            },
            "metrics": asdict(metrics),
        }
        write_description(folder, description)
        return metrics


BAR_FORMAT = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]"


def _between(bounds: Range, share: float) -> float:
    """Linear interpolation from bounds[0] at share 0 to bounds[1] at share 1."""
    return bounds[0] + (bounds[1] - bounds[0]) * share
