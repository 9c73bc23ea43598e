"""`kprl data preview`: what the simulator renders, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kprl.data.config import ScatterWorld
from kprl.files import atomic_file

SCALE = 3  # screen pixels for each image pixel
GAP = 4  # [px] between two pictures
CLASS_COLOURS = np.array([[40, 40, 40], [66, 135, 245], [245, 150, 40]], np.uint8)
"""RGB of background, gripper and target."""


def depth_to_grey(depth: np.ndarray) -> np.ndarray:
    """Depth (H, W) [m] as grey levels (H, W) uint8: near is bright; spans this image's own range."""
    near, far = float(depth.min()), float(depth.max())
    return np.asarray(255.0 * (far - depth) / max(far - near, 1e-6), np.uint8)


def contact_sheet(world: ScatterWorld, seeds: Sequence[int], path: Path, columns: int = 3) -> None:
    """Write a PNG: grey, depth and segmentation side by side for each seed, `columns` triples in a row."""
    triples = []
    for seed in seeds:
        frame = world.scatter(seed)
        grey, depth = np.asarray(frame.grey), depth_to_grey(np.asarray(frame.depth, np.float32))
        pictures = [np.repeat(grey[..., None], 3, 2), np.repeat(depth[..., None], 3, 2)]
        pictures.append(CLASS_COLOURS[frame.segmentation])
        triples.append(np.concatenate([np.pad(p, ((0, 1), (0, 1), (0, 0))) for p in pictures], axis=1))
    blank = np.zeros_like(triples[0])
    triples += [blank] * (-len(triples) % columns)
    rows = [np.concatenate(triples[i : i + columns], axis=1) for i in range(0, len(triples), columns)]
    sheet = np.concatenate(rows, axis=0).repeat(SCALE, 0).repeat(SCALE, 1)
    with atomic_file(path) as beside:
        Image.fromarray(np.pad(sheet, ((GAP, GAP), (GAP, GAP), (0, 0)))).save(beside, format="PNG")
