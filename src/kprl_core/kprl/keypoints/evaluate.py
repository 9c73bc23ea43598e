"""How good keypoints are, as far as pictures and their segmentation tell: needs no simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kprl.data.config import ScatterWorld, image_seed
from kprl.data.dataset import Dataset
from kprl.keypoints.encoder import KEYPOINT_VALUES, Encoder
from kprl.preprocess import IMAGE_SIZE

CONFIDENT = 0.5  # keypoints below do not count
VISIBLE_PIXELS = 12  # a target with fewer pixels counts as hidden
COVERING_KEYPOINTS = 3  # so many keypoints on the target cover it
TARGET = 2
BATCH = 256


@dataclass(frozen=True)
class Metrics:
    """All shares in [0, 1]."""

    on_target: float  # share of the confident keypoints that lie on a pixel of gripper or target
    objects_covered: float  # share of the images with a visible target that has 3 confident keypoints on it
    equivariance_px: float  # mean distance [px of 64] of the keypoints of rotated images from rotated keypoints
    confident: float  # share of the keypoints that are confident
    images: int


def encode_all(encoder: Encoder, grey: np.ndarray) -> np.ndarray:
    """Keypoints (N, K, 3) of images (N, 64, 64) uint8, in batches."""
    return np.concatenate([encoder.encode(grey[i : i + BATCH]) for i in range(0, len(grey), BATCH)])


def has_keypoints(encoded: np.ndarray) -> bool:
    """Whether encodings (N, K, 3 or 2) are keypoints with a confidence; pairs of latent numbers have no third."""
    return encoded.shape[-1] == KEYPOINT_VALUES


def cells_of(keypoints: np.ndarray, size: int) -> np.ndarray:
    """Column and row (N, K, 2) of the pixel under each keypoint (N, K, 3) in a picture of `size` pixels a side."""
    return np.clip(((keypoints[..., :2] + 1.0) / 2.0 * size).astype(int), 0, size - 1)


def classes_under(keypoints: np.ndarray, segmentation: np.ndarray) -> np.ndarray:
    """Class (N, K) of the pixel under each keypoint (N, K, 3); segmentation (N, 64, 64)."""
    cells = cells_of(keypoints, segmentation.shape[-1])
    rows = np.arange(len(keypoints))[:, None]
    under: np.ndarray = segmentation[rows, cells[..., 1], cells[..., 0]]
    return under


def on_target(keypoints: np.ndarray, segmentation: np.ndarray) -> float:
    """Share of the confident keypoints that lie on gripper or target; 0 if none is confident."""
    confident = keypoints[..., 2] >= CONFIDENT
    hits = (classes_under(keypoints, segmentation) > 0) & confident
    return float(hits.sum() / max(1, confident.sum()))


def objects_covered(keypoints: np.ndarray, segmentation: np.ndarray) -> float:
    """Share of the images with a visible target on which at least three confident keypoints lie."""
    visible = (segmentation == TARGET).sum(axis=(1, 2)) >= VISIBLE_PIXELS
    hits = (classes_under(keypoints, segmentation) == TARGET) & (keypoints[..., 2] >= CONFIDENT)
    covered = hits.sum(axis=1) >= COVERING_KEYPOINTS
    return float((covered & visible).sum() / max(1, visible.sum()))


def equivariance_px(encoder: Encoder, grey: np.ndarray, keypoints: np.ndarray) -> float:
    """Mean distance [px] of the keypoints of rotated images from the rotated keypoints, as in eq. (3)."""
    distances = []
    u, v = keypoints[..., 0], keypoints[..., 1]
    for turns in (1, 2, 3):
        u, v = v, -u  # a quarter turn anticlockwise on the screen, as numpy.rot90
        turned = encode_all(encoder, np.ascontiguousarray(np.rot90(grey, turns, axes=(1, 2))))
        distances.append(np.hypot(turned[..., 0] - u, turned[..., 1] - v))
    return float(np.mean(distances) * IMAGE_SIZE / 2.0)


def evaluate(encoder: Encoder, dataset: Dataset) -> Metrics:
    """Metrics of `encoder` on a data set that it was not trained on."""
    return measure(encoder, dataset, encode_all(encoder, dataset.grey))


def measure(encoder: Encoder, dataset: Dataset, keypoints: np.ndarray) -> Metrics:
    """Metrics of `encoder`, which found `keypoints` (N, K, 3) in the images of a data set."""
    return Metrics(
        on_target=on_target(keypoints, dataset.segmentation),
        objects_covered=objects_covered(keypoints, dataset.segmentation),
        equivariance_px=equivariance_px(encoder, dataset.grey, keypoints),
        confident=float((keypoints[..., 2] >= CONFIDENT).mean()),
        images=len(dataset),
    )


def render_dataset(
    world: ScatterWorld, images: int, seed: int, config: dict[str, Any], rendered: Callable[[], None] = lambda: None
) -> Dataset:
    """Fresh images of a world for an evaluation; `config` says what the world shows.

    `rendered` is called after each image, while the world still is as in the picture.
    """
    frames = []
    for i in range(images):
        frames.append(world.scatter(image_seed(seed, i)))
        rendered()
    return Dataset(
        np.stack([frame.grey for frame in frames]),
        np.stack([frame.depth for frame in frames]).astype(np.float16),
        np.stack([frame.segmentation for frame in frames]),
        config,
    )
