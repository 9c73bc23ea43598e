"""The pictures of one world: the renderer's, then what it cannot do well: textures, background and lens.

Most of the renderer's time is spent on pixels, so what is flat and fixed is not given to it: the floor behind the
table is filled in afterwards, and the textures of table and floor are made once an episode.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from kprl.control.rotation import to_matrix
from kprl.sim.bullet import Bullet
from kprl.sim.camera import BACKGROUND, FAR, CameraFrame, CameraPose, bend, metric_depth
from kprl.sim.randomization import Appearance, Surface
from kprl.sim.texture import PLAIN, Texture

FLOOR_HEIGHT = -0.75  # [m] of the floor, base_link
Grey = npt.NDArray[np.uint8]


class View:
    """Takes pictures of `height` by `width` pixels, square by default; `dress` prepares them for an episode.

    `classes` maps the number of a link (see Bullet.link_number) to GRIPPER or TARGET; all else is BACKGROUND.
    """

    def __init__(
        self, bullet: Bullet, classes: Mapping[int, int], table: int, height: int, width: int | None = None
    ) -> None:
        self._bullet, self._classes, self._table = bullet, classes, table
        self._height, self._width = height, width or height

    def dress(self, appearance: Appearance, surfaces: Mapping[int, Surface]) -> None:
        """Prepare an episode; `surfaces` are those of the movable bodies, the table's pose must be final."""
        camera = appearance.camera
        self._camera, self._light = camera, appearance.light
        self._view = camera.view_matrix().T.ravel().tolist()
        height, width = self._height, self._width
        projection = camera.projection_matrix(width / height)
        # TinyRenderer samples a pixel at its lower left corner; this moves the picture so that it is the middle.
        projection[:2, 2] += 1.0 / width, 1.0 / height
        self._projection = projection.T.ravel().tolist()
        self._eye, self._rays = camera.eye().astype(np.float32), camera.rays(height, width).astype(np.float32)
        self._flat_rays = self._rays.reshape(-1, 3)
        self._lens_map = camera.lens_map(height, width)
        self._textures = {body: s.texture for body, s in surfaces.items() if s.texture is not PLAIN}
        self._floor_depth = _plane_depth(camera, self._rays, FLOOR_HEIGHT)
        self._floor = self._paint_floor(appearance.floor)
        self._table_shade = self._shade_table(appearance.table.texture)

    def picture(self) -> Grey:
        """The light that reaches the sensor now, (height, width) uint8."""
        size = self._width, self._height
        rgba, buffer, bodies = self._bullet.picture(self._view, self._projection, *size, self._light)
        grey: Grey = cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)  # type: ignore[assignment]
        cv2.copyTo(self._floor, _mask(bodies < 0), grey)
        if self._table_shade is not None:
            shaded = cv2.multiply(grey, self._table_shade, dtype=cv2.CV_8U)
            cv2.copyTo(shaded, _mask(bodies == self._table), grey)
        for body, texture in self._textures.items():
            self._shade_body(grey, buffer, bodies == body, body, texture)
        self._grey, self._buffer, self._bodies = bend(grey, self._lens_map, True), buffer, bodies
        return self._grey

    def frame(self) -> CameraFrame:
        """The last picture with its depth and classes."""
        depth = np.where(self._bodies < 0, self._floor_depth, metric_depth(self._buffer))
        segmentation = np.full(depth.shape, BACKGROUND, dtype=np.uint8)
        for number, value in self._classes.items():
            segmentation[self._bodies == number] = value
        return CameraFrame(self._grey, bend(depth, self._lens_map, False), bend(segmentation, self._lens_map, False))

    def _shade_body(
        self, grey: Grey, buffer: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], body: int, texture: Texture
    ) -> None:
        """Put a movable body's texture on the pixels that show it."""
        pixels = np.flatnonzero(mask)
        if not len(pixels):
            return
        position, quaternion = self._bullet.pose(body)
        points = self._eye + metric_depth(buffer.ravel()[pixels])[:, None] * self._flat_rays[pixels]
        shaded = grey.ravel()[pixels] * texture.placed(position, to_matrix(quaternion)).shade(points)
        grey.ravel()[pixels] = np.minimum(shaded, np.float32(255.0))

    def _paint_floor(self, floor: Surface) -> Grey:
        points = self._eye + self._floor_depth[..., None] * self._rays
        return np.clip(255.0 * floor.grey * floor.texture.shade(points), 0, 255).astype(np.uint8)

    def _shade_table(self, texture: Texture) -> npt.NDArray[np.float32] | None:
        """The texture's factor for every pixel that may show the table top, z = 0."""
        if texture is PLAIN:
            return None
        position, quaternion = self._bullet.pose(self._table)
        points = self._eye + _plane_depth(self._camera, self._rays, 0.0)[..., None] * self._rays
        return texture.placed(position, to_matrix(quaternion)).shade(points)


def _mask(pixels: npt.NDArray[np.bool_]) -> Grey:
    """OpenCV's kind of mask; its masked copies take a tenth of numpy's time."""
    return pixels.view(np.uint8)


def _plane_depth(camera: CameraPose, rays: npt.NDArray[np.float32], height: float) -> npt.NDArray[np.float32]:
    """Depth [m], at most FAR, at which each ray (H, W, 3) meets the plane z = `height` below the camera."""
    down = np.minimum(rays[..., 2], np.float32(-1e-6))
    return np.minimum(np.float32(height - camera.eye()[2]) / down, np.float32(FAR))
