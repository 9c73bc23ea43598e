"""Keypoints drawn on an image: numbered, coloured by identity, faint where the confidence is low."""

from __future__ import annotations

import colorsys
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from kprl.files import atomic_file

GOLDEN_RATIO = 0.61803398875  # successive hues lie far apart for any number of keypoints
FAINTEST = 0.15  # opacity of a keypoint without any confidence
RADIUS = 4  # [px] of a disc in the enlarged picture
GAP = 4  # [px] between the pictures of a grid

# Rows of 3x5 digits, three bits each, most significant bit left.
GLYPHS = ("75557", "26227", "71747", "71717", "55711", "74717", "74757", "71122", "75757", "75717")


@lru_cache(maxsize=8)
def palette(num_keypoints: int) -> np.ndarray:
    """RGB colours (K, 3) uint8; the colour of a keypoint depends on its index alone."""
    hues = [(i * GOLDEN_RATIO) % 1.0 for i in range(num_keypoints)]
    return np.array([[round(255 * c) for c in colorsys.hsv_to_rgb(h, 0.85, 1.0)] for h in hues], np.uint8)


@lru_cache(maxsize=64)
def _number(value: int) -> np.ndarray:
    """Mask (5, 4 digits - 1) bool of a number in a 3x5 font."""
    digits = []
    for digit in str(value):
        rows = [[bool(int(row) & bit) for bit in (4, 2, 1)] for row in GLYPHS[int(digit)]]
        digits += [np.array(rows), np.zeros((5, 1), bool)]
    return np.concatenate(digits[:-1], axis=1)


@lru_cache(maxsize=2)
def _disc() -> np.ndarray:
    offset = np.arange(-RADIUS, RADIUS + 1)
    return np.asarray(offset[:, None] ** 2 + offset**2 <= (RADIUS + 0.3) ** 2)


def _blend(canvas: np.ndarray, mask: np.ndarray, left: int, top: int, colour: np.ndarray, opacity: float) -> None:
    """Mix `colour` into `canvas` (H, W, 3) where `mask` is set; what lies outside the canvas is cut off."""
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + mask.shape[0], canvas.shape[0]), min(left + mask.shape[1], canvas.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    patch = canvas[y0:y1, x0:x1]
    weight = opacity * mask[y0 - top : y1 - top, x0 - left : x1 - left, None]
    patch[:] = (1.0 - weight) * patch + weight * colour


def draw_keypoints(grey: np.ndarray, keypoints: np.ndarray, scale: int = 4) -> np.ndarray:
    """Keypoints (K, 3) = (u, v, confidence) on an image (H, W) uint8: (H scale, W scale, 3) uint8 RGB."""
    height, width = grey.shape
    canvas = np.repeat(np.repeat(np.repeat(grey, scale, 0), scale, 1)[..., None], 3, 2)
    colours, disc = palette(len(keypoints)), _disc()
    for i, (u, v, confidence) in enumerate(np.asarray(keypoints, np.float64)):
        x, y = int((u + 1.0) / 2.0 * width * scale), int((v + 1.0) / 2.0 * height * scale)
        opacity = FAINTEST + (1.0 - FAINTEST) * float(np.clip(confidence, 0.0, 1.0))
        _blend(canvas, disc, x - RADIUS, y - RADIUS, colours[i], opacity)
        number = _number(i)
        left, top = x - number.shape[1] // 2, y - number.shape[0] // 2
        _blend(canvas, number, left, top, np.zeros(3), opacity)
    return canvas


def overlay_grid(grey: np.ndarray, keypoints: np.ndarray, columns: int = 6, scale: int = 4) -> np.ndarray:
    """Overlays of images (N, H, W) with keypoints (N, K, 3) in rows of `columns`: one RGB picture."""
    pictures = [
        np.pad(draw_keypoints(g, k, scale), ((GAP, 0), (GAP, 0), (0, 0))) for g, k in zip(grey, keypoints, strict=True)
    ]
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], axis=1) for i in range(0, len(pictures), columns)]
    return np.concatenate(rows, axis=0)


def write_overlays(path: Path, grey: np.ndarray, keypoints: np.ndarray) -> None:
    """Write `overlay_grid` as a PNG."""
    with atomic_file(path) as beside:
        Image.fromarray(overlay_grid(grey, keypoints)).save(beside, format="PNG")
