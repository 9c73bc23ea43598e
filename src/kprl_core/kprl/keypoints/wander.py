"""How far keypoints wander on the body that they sit on.

A good keypoint is the picture of one point of one body. For each keypoint and each body that it could sit on, the
point is sought, fixed to the body, whose projections lie nearest to the keypoint over many images; what then remains
is its wandering. Point and body are found on one half of the images and the wandering is measured on the other one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from kprl.keypoints.evaluate import CONFIDENT, VISIBLE_PIXELS
from kprl.keypoints.scenes import Scenes
from kprl.preprocess import IMAGE_SIZE
from kprl.sim.arm import TOOL_DOWN
from kprl.sim.camera import GRIPPER, TARGET

Array = npt.NDArray[np.float64]

PIXELS = IMAGE_SIZE / 2.0  # [px] in one unit of u or v
BODY_REACH = 0.2  # [m] from a body's origin beyond which none of its points lies; the palm ends 0.15 m above the tool
ROBUST = 1.0  # [px] beyond which deviations count linearly in a fit, so that stray images cannot pull the point away
MIN_IMAGES = 8  # on each half: a point has three unknowns, an image two numbers


@dataclass(frozen=True)
class Body:
    """One rigid body in N images; poses in `base_link`."""

    name: str
    origin: Array  # (N, 3) [m]
    rotation: Array  # (N, 3, 3)
    seen: npt.NDArray[np.bool_]  # (N,) whether enough of it is in the picture

    def place(self, point: Array) -> Array:
        """A point (3,) [m] of the body's frame, in `base_link` (N, 3)."""
        return self.origin + self.rotation @ point

    def subset(self, indices: np.ndarray) -> Body:
        """The body in the images at `indices`."""
        return Body(self.name, self.origin[indices], self.rotation[indices], self.seen[indices])


@dataclass(frozen=True)
class KeypointWander:
    """One keypoint; None where too few images show it with confidence."""

    index: int
    body: str | None  # that it sits on
    px: float | None  # [px of 64] root mean square distance |(du, dv)| from the projected point
    median_px: float | None  # [px of 64] median of the same distances
    images: int  # on which it was measured
    confident: float  # share of all images on which the keypoint is confident


@dataclass(frozen=True)
class Wander:
    """All keypoints; the means run over those that could be measured, None if none could."""

    wander_px: float | None  # mean of `px`
    wander_median_px: float | None  # mean of `median_px`
    keypoints: list[KeypointWander]


def bodies(scenes: Scenes) -> list[Body]:
    """What a keypoint may sit on.

    The object counts twice: the faces of a cube cannot be told apart, so a keypoint may keep to the object's place
    without turning with it.
    """
    gripper, target = (scenes.pixels(value) >= VISIBLE_PIXELS for value in (GRIPPER, TARGET))
    tool, still = (np.broadcast_to(rotation, (len(scenes), 3, 3)) for rotation in (TOOL_DOWN, np.eye(3)))
    aside = scenes.opening[:, None] / 2 * TOOL_DOWN[:, 1]  # the left finger opens along y of the tool
    return [
        Body("palm", scenes.tcp, tool, gripper),
        Body("left_finger", scenes.tcp + aside, tool, gripper),
        Body("right_finger", scenes.tcp - aside, tool, gripper),
        Body("target", scenes.object_position, _about_z(scenes.object_yaw), target),
        Body("target_unrotated", scenes.object_position, still, target),
    ]


def wander(keypoints: np.ndarray, scenes: Scenes) -> Wander:
    """The wandering of the keypoints (N, K, 3) of the images of `scenes`."""
    halves = np.arange(0, len(scenes), 2), np.arange(1, len(scenes), 2)
    candidates = bodies(scenes)
    each = [_wander_of(index, keypoints[:, index], candidates, scenes, halves) for index in range(keypoints.shape[1])]
    return Wander(
        _mean([one.px for one in each if one.px is not None]),
        _mean([one.median_px for one in each if one.median_px is not None]),
        each,
    )


def _wander_of(
    index: int, keypoint: np.ndarray, candidates: list[Body], scenes: Scenes, halves: tuple[np.ndarray, np.ndarray]
) -> KeypointWander:
    """Of one keypoint (N, 3): on the body on which the fit leaves least."""
    confident = keypoint[:, 2] >= CONFIDENT
    share = float(confident.mean())
    best: tuple[float, Array, Body, np.ndarray] | None = None
    for body in candidates:
        fitted, measured = (half[(confident & body.seen)[half]] for half in halves)
        if min(len(fitted), len(measured)) < MIN_IMAGES:
            continue
        point, cost = _fit(keypoint, body, scenes, fitted)
        if best is None or cost < best[0]:
            best = cost, point, body, measured
    if best is None:
        return KeypointWander(index, None, None, None, 0, share)
    _, point, body, measured = best
    distances = np.linalg.norm(_residuals(point, keypoint, body, scenes, measured), axis=1)
    rms = float(np.sqrt((distances**2).mean()))
    return KeypointWander(index, body.name, rms, float(np.median(distances)), len(measured), share)


def _fit(keypoint: np.ndarray, body: Body, scenes: Scenes, images: np.ndarray) -> tuple[Array, float]:
    """The point (3,) [m] of the body's frame nearest to the keypoint in `images`, and the mean cost that is left."""
    found = least_squares(
        lambda point: _residuals(point, keypoint, body, scenes, images).ravel(),
        np.zeros(3),
        bounds=(-BODY_REACH, BODY_REACH),
        x_scale=0.01,
        loss="soft_l1",
        f_scale=ROBUST,
    )
    return found.x, float(found.cost) / len(images)


def _residuals(point: Array, keypoint: np.ndarray, body: Body, scenes: Scenes, images: np.ndarray) -> Array:
    """From the projections of a body's point to the keypoint in `images`, (len(images), 2) [px]."""
    projected = scenes.cameras.subset(images).project(body.subset(images).place(point))
    return PIXELS * (keypoint[images, :2] - projected)


def _about_z(yaw: Array) -> Array:
    """Rotation matrices (N, 3, 3) of turns by yaw (N,) [rad] about z."""
    turns = np.zeros((len(yaw), 3, 3))
    turns[:, 0, 0], turns[:, 0, 1] = np.cos(yaw), -np.sin(yaw)
    turns[:, 1, 0], turns[:, 1, 1] = np.sin(yaw), np.cos(yaw)
    turns[:, 2, 2] = 1.0
    return turns


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
