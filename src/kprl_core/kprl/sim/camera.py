"""The simulated camera: where it stands, how its lens draws, and what lies behind a pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from kprl.preprocess import FIELD_OF_VIEW

NEAR, FAR = 0.05, 3.0  # [m] clipping planes
BACKGROUND, GRIPPER, TARGET = 0, 1, 2  # classes of the segmentation
UNDISTORT_ITERATIONS = 6  # of a contraction by less than 0.1: exact to 1e-7
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CameraPose:
    """Camera looking at `target` [m] in `base_link`; the paper's stands at about 45 degrees over the workspace."""

    target: tuple[float, float, float] = (0.485, 0.0, 0.095)
    distance: float = 0.64  # [m]
    pitch: float = 45.0  # [deg] above the table
    azimuth: float = 0.0  # [deg] about z; 0 stands in front of the robot and looks back at it
    roll: float = 0.0  # [deg] in the picture's plane
    field_of_view: float = FIELD_OF_VIEW  # [deg]
    distortion: float = 0.0  # k of the lens: what is seen at radius r of the picture lies at r (1 + k r^2) without it

    def eye(self) -> Array:
        """Position of the camera (3,) [m]."""
        pitch, azimuth = np.radians(self.pitch), np.radians(self.azimuth)
        ray = np.array([np.cos(pitch) * np.cos(azimuth), np.cos(pitch) * np.sin(azimuth), np.sin(pitch)])
        return np.array(self.target) + self.distance * ray

    def view_matrix(self) -> Array:
        """World to camera (4, 4) in OpenGL's convention: x right, y up, looking along -z."""
        eye = self.eye()
        back = (eye - np.array(self.target)) / self.distance
        right = np.cross([0.0, 0.0, 1.0], back)
        right /= np.linalg.norm(right)
        up = np.cross(back, right)
        cos, sin = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        axes = np.array([cos * right + sin * up, cos * up - sin * right, back])
        view = np.eye(4)
        view[:3, :3], view[:3, 3] = axes, -axes @ eye
        return view

    def widened(self, factor: float) -> CameraPose:
        """The same camera and lens with a picture `factor` times as high; its middle shows what it did."""
        half = factor * np.tan(np.radians(self.field_of_view) / 2)
        angle = float(np.degrees(2 * np.arctan(half)))
        return replace(self, field_of_view=angle, distortion=self.distortion * factor**2)

    def projection_matrix(self, aspect: float = 1.0) -> Array:
        """Camera to clip space (4, 4), of a picture `aspect` times as wide as high, without the lens's distortion."""
        scale = 1.0 / np.tan(np.radians(self.field_of_view) / 2)
        depth = (FAR + NEAR) / (NEAR - FAR), 2 * FAR * NEAR / (NEAR - FAR)
        return np.array([[scale / aspect, 0, 0, 0], [0, scale, 0, 0], [0, 0, depth[0], depth[1]], [0, 0, -1.0, 0]])

    def project(self, point: npt.NDArray[np.floating]) -> Array:
        """Points (..., 3) [m] in `base_link` to (..., 2): u right, v down in [-1, 1] of the picture."""
        homogeneous = np.concatenate([point, np.ones((*np.shape(point)[:-1], 1))], axis=-1)
        clip = homogeneous @ (self.projection_matrix() @ self.view_matrix()).T
        ideal = clip[..., :2] / clip[..., 3:] * np.array([1.0, -1.0])
        seen = ideal
        for _ in range(UNDISTORT_ITERATIONS if self.distortion else 0):
            seen = ideal / (1.0 + self.distortion * (seen**2).sum(axis=-1, keepdims=True))
        return seen

    def rays(self, height: int, width: int | None = None) -> Array:
        """Directions (height, width, 3) in `base_link` of the pixels of an undistorted picture, by default square.

        Their length along the optical axis is 1: the eye plus a pixel's depth times its ray is the point it shows.
        """
        half = np.tan(np.radians(self.field_of_view) / 2)
        width = width or height
        across, down = (_middles(count, height) * half for count in (width, height))
        local = np.empty((height, width, 3))
        local[..., 0], local[..., 1], local[..., 2] = across[None, :], -down[:, None], -1.0
        return local @ self.view_matrix()[:3, :3]

    def lens_map(self, height: int, width: int | None = None) -> npt.NDArray[np.float32] | None:
        """For each pixel of the distorted picture (column, row) [px] in the ideal one: (height, width, 2), or None."""
        if not self.distortion:
            return None
        width = width or height
        u, v = np.meshgrid(_middles(width, height), _middles(height, height))
        factor = 1.0 + self.distortion * (u**2 + v**2)
        ideal = np.stack([u * factor, v * factor], axis=-1) * (height / 2)
        return (ideal + np.array([width - 1, height - 1]) / 2).astype(np.float32)


@dataclass(frozen=True)
class CameraFrame:
    """Grey picture (H, W) uint8 with its ground truth: depth (H, W) [m] and classes (H, W) uint8.

    Depth is measured along the optical axis, as a depth camera does.
    """

    grey: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]
    segmentation: npt.NDArray[np.uint8]


def _middles(count: int, height: int) -> Array:
    """Places (count,) of the pixels' middles along one side, in halves of the picture's height from its middle."""
    return (2 * np.arange(count) + 1 - count) / height


def metric_depth(buffer: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Depth buffer, 0 at NEAR to 1 at FAR, to metres along the optical axis."""
    return np.float32(FAR * NEAR) / (np.float32(FAR) - np.float32(FAR - NEAR) * buffer)


def bend(picture: npt.NDArray[Any], lens_map: npt.NDArray[np.float32] | None, smooth: bool) -> npt.NDArray[Any]:
    """Draw a picture (H, W) as the lens does; `smooth` interpolates, else values stay those of pixels."""
    if lens_map is None:
        return picture
    how = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    # Two maps in one array: OpenCV's stubs know them only apart.
    return cv2.remap(picture, lens_map, None, how, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
