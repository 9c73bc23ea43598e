"""Rendered evaluation scenes: images together with where everything in them is and how the camera projected it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl.data.dataset import Dataset
from kprl.envs.world import World
from kprl.keypoints.evaluate import render_dataset
from kprl.sim.camera import UNDISTORT_ITERATIONS, CameraPose
from kprl.tasks.start_states import StartState

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cameras:
    """The cameras of N images, projecting all at once what `CameraPose.project` projects one by one."""

    matrices: Array  # (N, 4, 4) `base_link` to clip space
    distortion: Array  # (N,)

    @staticmethod
    def of(poses: Sequence[CameraPose]) -> Cameras:
        """Of the pose of each image's camera."""
        return Cameras(
            np.stack([pose.projection_matrix() @ pose.view_matrix() for pose in poses]),
            np.array([pose.distortion for pose in poses]),
        )

    def project(self, points: Array) -> Array:
        """Point (N, 3) [m] of each image, in `base_link`, to (N, 2): u right, v down in [-1, 1]."""
        clip = np.einsum("nij,nj->ni", self.matrices[..., :3], points) + self.matrices[..., 3]
        ideal = clip[:, :2] / clip[:, 3:] * np.array([1.0, -1.0])
        seen = ideal
        for _ in range(UNDISTORT_ITERATIONS):
            seen = ideal / (1.0 + self.distortion[:, None] * (seen**2).sum(axis=-1, keepdims=True))
        return seen

    def subset(self, indices: np.ndarray) -> Cameras:
        """The cameras of the images at `indices`."""
        return Cameras(self.matrices[indices], self.distortion[indices])


@dataclass(frozen=True)
class Scenes:
    """N images with the simulator's truth. SI units, `base_link`; the tool always points down."""

    dataset: Dataset
    tcp: Array  # (N, 3) tool centre point
    opening: Array  # (N,)
    object_position: Array  # (N, 3)
    object_yaw: Array  # (N,)
    held: npt.NDArray[np.bool_]  # (N,) in the closed gripper; else the object lies on the table
    cameras: Cameras

    def __len__(self) -> int:
        return len(self.dataset)

    def pixels(self, value: int) -> npt.NDArray[np.int64]:
        """How many pixels (N,) show a class of the segmentation."""
        return np.asarray((self.dataset.segmentation == value).sum(axis=(1, 2)))


def render_scenes(task: str, scene: str, object: str, randomization: str, *, images: int, seed: int) -> Scenes:
    """Render scenes that depend on the arguments alone.

    Errors: `KprlError` that names the choices for an unknown task, scene, object or randomization.
    """
    config = {"task": task, "scene": scene, "object": object, "randomization": randomization, "seed": seed}
    starts: list[StartState] = []
    poses: list[CameraPose] = []
    with closing(World(task, scene, object, randomization)) as world:

        def note() -> None:
            starts.append(world.start)  # the truth: nothing moves between a start and its picture
            poses.append(world.appearance.camera)

        dataset = render_dataset(world, images, seed, config, note)
    return Scenes(
        dataset=dataset,
        tcp=np.stack([start.tcp for start in starts]),
        opening=np.array([start.opening for start in starts]),
        object_position=np.stack([start.object_position for start in starts]),
        object_yaw=np.array([start.object_yaw for start in starts]),
        held=np.array([start.held for start in starts]),
        cameras=Cameras.of(poses),
    )
