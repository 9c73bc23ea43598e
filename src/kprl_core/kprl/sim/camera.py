"""The simulated camera: where it stands, and its grey, depth and segmentation pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl.preprocess import FIELD_OF_VIEW, IMAGE_SIZE
from kprl.sim.bullet import Bullet, Light

NEAR, FAR = 0.05, 3.0  # [m] clipping planes
BACKGROUND, GRIPPER, TARGET = 0, 1, 2  # classes of the segmentation
_LUMA = np.array([77, 150, 29, 0], dtype=np.uint16)  # ITU-R BT.601 weights times 256
_LINK_SHIFT = 24  # bodies are numbered in the low 24 bits of a segmentation value, links above


@dataclass(frozen=True)
class CameraPose:
    """Camera looking at `target` [m] in `base_link`; the paper's stands at about 45 degrees over the workspace."""

    target: tuple[float, float, float] = (0.485, 0.0, 0.095)
    distance: float = 0.64  # [m]
    pitch: float = 45.0  # [deg] above the table
    azimuth: float = 0.0  # [deg] about z; 0 stands in front of the robot and looks back at it
    roll: float = 0.0  # [deg] in the picture's plane
    field_of_view: float = FIELD_OF_VIEW  # [deg]

    def eye(self) -> npt.NDArray[np.float64]:
        """Position of the camera (3,) [m]."""
        pitch, azimuth = np.radians(self.pitch), np.radians(self.azimuth)
        ray = np.array([np.cos(pitch) * np.cos(azimuth), np.cos(pitch) * np.sin(azimuth), np.sin(pitch)])
        return np.array(self.target) + self.distance * ray

    def view_matrix(self) -> npt.NDArray[np.float64]:
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

    def projection_matrix(self) -> npt.NDArray[np.float64]:
        """Camera to clip space (4, 4), square picture."""
        scale = 1.0 / np.tan(np.radians(self.field_of_view) / 2)
        depth = (FAR + NEAR) / (NEAR - FAR), 2 * FAR * NEAR / (NEAR - FAR)
        return np.array([[scale, 0, 0, 0], [0, scale, 0, 0], [0, 0, depth[0], depth[1]], [0, 0, -1.0, 0]])

    def project(self, point: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Points (..., 3) [m] in `base_link` to (..., 2): u right, v down in [-1, 1] of the picture."""
        homogeneous = np.concatenate([point, np.ones((*np.shape(point)[:-1], 1))], axis=-1)
        clip = homogeneous @ (self.projection_matrix() @ self.view_matrix()).T
        return clip[..., :2] / clip[..., 3:] * np.array([1.0, -1.0])


@dataclass(frozen=True)
class CameraFrame:
    """Grey picture (H, W) uint8 with its ground truth: depth (H, W) [m] and classes (H, W) uint8."""

    grey: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]
    segmentation: npt.NDArray[np.uint8]


def render(
    bullet: Bullet, pose: CameraPose, light: Light, classes: Mapping[int, int], size: int = IMAGE_SIZE
) -> CameraFrame:
    """Take a picture; `classes` maps body + (link + 1) << 24 to GRIPPER or TARGET, all else is BACKGROUND."""
    rgba, buffer, bodies = bullet.picture(
        pose.view_matrix().T.ravel().tolist(), pose.projection_matrix().T.ravel().tolist(), size, size, light
    )
    grey = ((rgba.astype(np.uint16) @ _LUMA) >> 8).astype(np.uint8)
    depth = (FAR * NEAR / (FAR - (FAR - NEAR) * buffer)).astype(np.float32)
    segmentation = np.zeros(bodies.shape, dtype=np.uint8)
    for key, value in classes.items():
        segmentation[bodies == key] = value
    return CameraFrame(grey, depth, segmentation)


def link_key(body: int, link: int) -> int:
    """The number that stands for a link (-1 for the base) in a segmentation picture."""
    return body + ((link + 1) << _LINK_SHIFT)
