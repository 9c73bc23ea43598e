"""What the camera sees of the workcell: the scene drawn again from its seed, everything where the world says it is.

TinyRenderer needs 35 ms and more for 640 x 480 pixels, and holds Python's global lock meanwhile; so the picture is
drawn in the camera's process, at 176 x 132, and enlarged. The policy's 64 x 64 view is 69 of those pixels wide: it
loses nothing. Blur, gain and vignette are the sensor's, on the small picture; noise is that of every large pixel.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from kprl.preprocess import FIELD_OF_VIEW, IMAGE_SIZE
from kprl.sim.sensor import Sensor
from kprl_fake_hardware.scene import OBJECT, START, Domain, Poses

Grey = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480  # [px] of the infrared images
FOCAL = 385.0  # [px] of a D435 at this size: 80 by 64 degrees
DRAWN_WIDTH, DRAWN_HEIGHT = 176, 132  # [px]
_HALF_VIEW = float(np.tan(np.radians(FIELD_OF_VIEW) / 2))
WIDENING = HEIGHT / 2 / FOCAL / _HALF_VIEW  # height of the camera's image over that of the policy's view
NOISE_RATIO = 2 * FOCAL * _HALF_VIEW / IMAGE_SIZE  # side of a pixel of the policy's view, which averages their noise


class Eye:
    """A copy of the workcell's scenery that only looks."""

    def __init__(self, domain: Domain) -> None:
        self._scenery = domain.scenery(DRAWN_HEIGHT, DRAWN_WIDTH)
        self._scene: int | None = None
        self._optics, self._noise = Sensor(), Sensor()

    def close(self) -> None:
        """End the copy."""
        self._scenery.close()

    def look(self, poses: Poses) -> Grey:
        """The light on the sensor, (DRAWN_HEIGHT, DRAWN_WIDTH)."""
        if poses.scene != self._scene:
            self._dress(poses.seed)
            self._scene = poses.scene
        self._scenery.pose_robot(poses.joints, poses.opening)
        stage, bullet = self._scenery.stage, self._scenery.bullet
        for index, pose in poses.bodies:
            body = stage.object if index == OBJECT else stage.distractors[index]
            bullet.place(body, pose[:3], pose[3:])
        return self._scenery.view.picture()

    def develop(self, light: Grey) -> Grey:
        """The camera's image (HEIGHT, WIDTH) of the light, or of no light at all."""
        seen = cv2.resize(self._optics.develop(light, self._rng), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        return self._noise.develop(np.asarray(seen, np.uint8), self._rng)

    @property
    def dropped_share(self) -> float:
        """Share of the frames that this scene's camera loses."""
        return self._optics.dropped_share

    @property
    def late_share(self) -> float:
        """Share of the frames that come late."""
        return self._optics.late_share

    def _dress(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        start, appearance = self._scenery.draw(START, self._rng)
        self._scenery.stage.clear()
        surfaces = self._scenery.dress(start, appearance)
        camera = appearance.camera.widened(WIDENING)
        self._scenery.view.dress(replace(appearance, camera=camera), surfaces)
        self._optics = replace(appearance.sensor, noise=0.0)
        self._noise = Sensor(noise=appearance.sensor.noise * NOISE_RATIO)
