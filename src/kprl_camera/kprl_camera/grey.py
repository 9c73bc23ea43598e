"""Any image of the camera to grey."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from kprl.errors import KprlError


def to_grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Grey (H, W) from grey (H, W), which is returned as it is, or from RGB (H, W, 3): the luma of ITU-R BT.601."""
    if pixels.dtype == np.uint8 and pixels.ndim == 2:
        return pixels
    if pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    raise KprlError(f"image is {pixels.shape} {pixels.dtype}: expected (H, W) or (H, W, 3) uint8")
