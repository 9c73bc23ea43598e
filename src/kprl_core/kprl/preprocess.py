"""From a camera's image to the policy's 64 x 64 view, and back for keypoints.

The policy's view is a virtual camera: the square about the principal point that spans a given field of view. A real
640 x 480 image and a simulated 64 x 64 one therefore pass through the same function.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from kprl.errors import KprlError

IMAGE_SIZE = 64  # [px] side of the policy's view
FIELD_OF_VIEW = 36.0  # [deg] of the policy's view, both ways
BLIND_DEVIATION = 2.0  # [grey levels] of a view that shows nothing; of 30,000 random views the least had 5.5


@dataclass(frozen=True)
class Intrinsics:
    """Pinhole camera: focal lengths and principal point [px], and the image's size [px]."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    @staticmethod
    def from_field_of_view(field_of_view: float, width: int, height: int) -> Intrinsics:
        """Square pixels and a centred principal point; `field_of_view` [deg] spans the height."""
        focal = 0.5 * height / np.tan(np.radians(field_of_view) / 2)
        return Intrinsics(focal, focal, width / 2, height / 2, width, height)


def crop_window(intrinsics: Intrinsics, field_of_view: float) -> tuple[float, float, float, float]:
    """Left, top, width, height [px] of the policy's view in the camera's image (may be fractional)."""
    half = np.tan(np.radians(field_of_view) / 2)
    return (
        intrinsics.cx - intrinsics.fx * half,
        intrinsics.cy - intrinsics.fy * half,
        2 * intrinsics.fx * half,
        2 * intrinsics.fy * half,
    )


def preprocess(
    image: npt.NDArray[np.uint8], intrinsics: Intrinsics, field_of_view: float = FIELD_OF_VIEW
) -> npt.NDArray[np.uint8]:
    """Cut the policy's view (64, 64) uint8 out of a grey image (H, W) uint8.

    Raises KprlError where the image is not of the camera's size or type, or is narrower than the view.
    """
    expected = (intrinsics.height, intrinsics.width)
    if image.shape != expected or image.dtype != np.uint8:
        raise KprlError(f"image is {image.shape} {image.dtype}: expected {expected} uint8 as its camera_info says")
    left, top, width, height = crop_window(intrinsics, field_of_view)
    x0, y0, x1, y1 = round(left), round(top), round(left + width), round(top + height)
    if x0 < 0 or y0 < 0 or x1 > intrinsics.width or y1 > intrinsics.height:
        raise KprlError(
            f"the camera sees less than the policy's {field_of_view:g} degrees: the view needs columns {x0} to {x1} "
            f"and rows {y0} to {y1} of a {intrinsics.width} x {intrinsics.height} image; use a wider lens or mode"
        )
    view = image[y0:y1, x0:x1]
    if view.shape == (IMAGE_SIZE, IMAGE_SIZE):
        return np.ascontiguousarray(view)
    shrinks = view.shape[0] >= IMAGE_SIZE
    resized = cv2.resize(view, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def keypoints_to_image(
    keypoints: npt.NDArray[np.floating], intrinsics: Intrinsics, field_of_view: float = FIELD_OF_VIEW
) -> npt.NDArray[np.float32]:
    """Positions (..., 2) in [-1, 1] of the policy's view to (u, v) [px] of the image; pixel centres lie at +0.5."""
    left, top, width, height = crop_window(intrinsics, field_of_view)
    share = (np.asarray(keypoints, dtype=np.float32) + 1.0) / 2.0
    return (np.array([left, top]) + share * np.array([width, height])).astype(np.float32)


def keypoints_from_image(
    pixels: npt.NDArray[np.floating], intrinsics: Intrinsics, field_of_view: float = FIELD_OF_VIEW
) -> npt.NDArray[np.float32]:
    """The inverse of `keypoints_to_image`: (..., 2) [px] to [-1, 1]."""
    left, top, width, height = crop_window(intrinsics, field_of_view)
    share = (np.asarray(pixels, dtype=np.float64) - np.array([left, top])) / np.array([width, height])
    return (2.0 * share - 1.0).astype(np.float32)


def to_network(images: npt.NDArray[np.uint8], out: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.float32]:
    """Grey images (N, 64, 64) uint8 to the network's input (N, 1, 64, 64) float32 in [0, 1], in `out` if given."""
    if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or images.dtype != np.uint8:
        raise KprlError(f"images are {images.shape} {images.dtype}: expected (N, {IMAGE_SIZE}, {IMAGE_SIZE}) uint8")
    if out is None:
        out = np.empty((len(images), 1, IMAGE_SIZE, IMAGE_SIZE), np.float32)
    np.copyto(out, images[:, None])  # a ufunc that converts while it divides would allocate a buffer
    return np.divide(out, np.float32(255.0), out=out)


def count_blind(images: npt.NDArray[np.uint8]) -> int:
    """How many of the views (N, 64, 64) show nothing."""
    return sum(float(image.std()) < BLIND_DEVIATION for image in images)


def require_visible(view: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the policy's view (64, 64), or raise KprlError where it shows nothing."""
    if count_blind(view[None]):
        raise KprlError(
            f"the camera shows nothing: its view is grey {view.mean():.0f} all over, and varies by "
            f"{view.std():.1f} levels, expected at least {BLIND_DEVIATION:g}; is the lens covered, the exposure wrong?"
        )
    return view
