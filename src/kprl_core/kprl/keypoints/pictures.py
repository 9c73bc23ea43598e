"""The pictures of an evaluation: keypoints on held-out images, and on those with most keypoints astray."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from kprl.data.dataset import Dataset
from kprl.errors import KprlError
from kprl.keypoints.evaluate import CONFIDENT, cells_of, has_keypoints
from kprl.keypoints.overlay import write_overlays

OVERLAYS, FAILURES = "overlays.png", "failures.png"
SHOWN = 24  # images in a picture


def write_pictures(folder: Path, dataset: Dataset, keypoints: np.ndarray) -> None:
    """Write overlays.png, the first images of a random data set, and failures.png, if there are failures.

    Errors: `KprlError` if the encodings (N, K, 3 or 2) are no keypoints.
    """
    if not has_keypoints(keypoints):
        raise KprlError("this model's features are no keypoints, which could be drawn: leave out --pictures")
    write_overlays(folder / OVERLAYS, dataset.grey[:SHOWN], keypoints[:SHOWN])
    worst = worst_images(keypoints, dataset.segmentation)[:SHOWN]
    (folder / FAILURES).unlink(missing_ok=True)  # of an earlier evaluation
    if len(worst):
        write_overlays(folder / FAILURES, dataset.grey[worst], keypoints[worst])


def worst_images(keypoints: np.ndarray, segmentation: np.ndarray) -> np.ndarray:
    """Indices of the images with keypoints astray, by the sum of their distances, the worst first."""
    total = astray_px(keypoints, segmentation).sum(axis=1)
    worst = np.argsort(-total, kind="stable")
    return worst[total[worst] > 0]


def astray_px(keypoints: np.ndarray, segmentation: np.ndarray) -> np.ndarray:
    """Distance (N, K) [px] of the keypoints (N, K, 3) from the nearest pixel of gripper or target.

    0 for those that are on one or not confident. segmentation: (N, 64, 64).
    """
    cells = cells_of(keypoints, segmentation.shape[-1])
    distances = np.stack([_distance_to_bodies(classes) for classes in segmentation])
    found = distances[np.arange(len(keypoints))[:, None], cells[..., 1], cells[..., 0]]
    return np.where(keypoints[..., 2] >= CONFIDENT, found, 0.0)


def _distance_to_bodies(classes: np.ndarray) -> np.ndarray:
    """Distance (H, W) [px] of each pixel from the nearest one of gripper or target; the diagonal if there is none."""
    background = np.asarray(classes == 0, np.uint8)
    if background.all():
        return np.full(classes.shape, np.hypot(*classes.shape))
    return np.asarray(cv2.distanceTransform(background, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
