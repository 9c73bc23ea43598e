"""The SDK's intrinsics as the pinhole camera of rectified images, and the map that rectifies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from kprl.errors import KprlError
from kprl.preprocess import Intrinsics

# The models that the SDK calls Brown-Conrady differ in the point that the tangential terms are taken at.
POLYNOMIALS = ("brown_conrady", "modified_brown_conrady", "inverse_brown_conrady")


@dataclass(frozen=True)
class Lens:
    """Intrinsics [px] with the SDK's distortion model; pixel centres lie at whole numbers, as in camera_info."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    model: str = "none"
    coefficients: tuple[float, ...] = (0.0,) * 5  # k1, k2, p1, p2, k3

    def pinhole(self) -> Intrinsics:
        """The camera of the rectified image: the same without the distortion."""
        return Intrinsics(self.fx, self.fy, self.cx, self.cy, self.width, self.height)


def rectifier(lens: Lens) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]:
    """A function from the camera's grey image (H, W) to the rectified one; the identity where nothing is distorted.

    The infrared images of a D400 are rectified in the camera; its colour images are not.
    """
    if not any(lens.coefficients):
        return lambda image: image
    columns, rows = np.meshgrid(np.arange(lens.width), np.arange(lens.height))
    source = distort(lens, np.stack([columns, rows], -1).astype(float)).astype(np.float32)  # (H, W, 2)
    from_column, from_row = np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1])
    return lambda image: np.asarray(cv2.remap(image, from_column, from_row, cv2.INTER_LINEAR), np.uint8)


def require_polynomial(lens: Lens) -> Lens:
    """Return the lens, or raise a `KprlError` where it has another distortion, such as a fisheye's."""
    if any(lens.coefficients) and lens.model not in POLYNOMIALS:
        raise KprlError(
            f"the camera's lens has the distortion model '{lens.model}': expected one of {', '.join(POLYNOMIALS)}"
        )
    return lens


def distort(lens: Lens, pixels: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Where rectified pixels (..., 2) lie in the camera's own image (..., 2), as the SDK's rs2_project does it."""
    k1, k2, p1, p2, k3 = lens.coefficients
    x = (pixels[..., 0] - lens.cx) / lens.fx
    y = (pixels[..., 1] - lens.cy) / lens.fy
    square = x * x + y * y
    radial = 1 + square * (k1 + square * (k2 + square * k3))
    # (s, t): where the tangential terms are taken
    s, t = (x, y) if lens.model == "brown_conrady" else (x * radial, y * radial)
    u = x * radial + 2 * p1 * s * t + p2 * (square + 2 * s * s)
    v = y * radial + 2 * p2 * s * t + p1 * (square + 2 * t * t)
    return np.stack([lens.cx + lens.fx * u, lens.cy + lens.fy * v], -1)
