"""What the decoder makes of the keypoints, beside the truth, as one picture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kprl.data.preview import CLASS_COLOURS
from kprl.keypoints.targets import Batch
from kprl.preprocess import IMAGE_SIZE

SCALE = 2  # screen pixels for each image pixel


def reconstruction_panel(batch: Batch, predicted: dict[str, Tensor]) -> np.ndarray:
    """RGB picture (H, W, 3) uint8 with one column for each of a batch's images.

    Rows: the image, then for each of depth, classes and image that `predicted` (see `Objective.reconstruct`) has,
    the truth above what was predicted.
    """
    rows = [_grey(batch.images)]
    if "depth" in predicted:
        near, far = float(batch.depth.min()), float(batch.depth.max())
        rows += [_grey((far - depth) / max(far - near, 1e-6)) for depth in (batch.depth, predicted["depth"])]
    if "shares" in predicted:
        rows += [_classes(shares) for shares in (batch.shares, predicted["shares"])]
    if "images" in predicted:
        rows.append(_grey(predicted["images"]))
    return np.concatenate(rows, axis=0)


def _grey(pictures: Tensor) -> np.ndarray:
    levels = (255.0 * pictures.float().clamp(0.0, 1.0)).to(torch.uint8).cpu().numpy()[:, 0]
    return _in_a_row(np.repeat(levels[..., None], 3, axis=-1))


def _classes(shares: Tensor) -> np.ndarray:
    colours = np.einsum("nchw,cd->nhwd", shares.float().cpu().numpy(), CLASS_COLOURS.astype(np.float32))
    return _in_a_row(colours.astype(np.uint8))


def _in_a_row(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, h, w, 3) side by side, enlarged to the same size."""
    factor = SCALE * IMAGE_SIZE // pictures.shape[1]
    return np.concatenate([picture.repeat(factor, 0).repeat(factor, 1) for picture in pictures], axis=1)
