"""A few pictures that can be learnt by heart, and torch hub's cache in an empty folder."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kprl.keypoints.targets import Batch, DepthScale, class_shares, depth_target

IMAGES = 8


def square_batch(images: int = IMAGES) -> Batch:
    """A bright gripper that stays and a dark target that is elsewhere in each image."""
    grey = np.full((images, 1, 64, 64), 0.5, np.float32)
    depth = np.full((images, 64, 64), 0.8, np.float16)
    segmentation = np.zeros((images, 64, 64), np.uint8)
    for i in range(images):
        row, column = 10 + 5 * i, 48 - 5 * i
        for (top, left), side, level, height, name in (((4, 28), 10, 0.9, 0.3, 1), ((row, column), 8, 0.1, 0.1, 2)):
            place = (i, slice(top, top + side), slice(left, left + side))
            grey[place[0], 0, place[1], place[2]], segmentation[place] = level, name
            depth[place] -= height
    scale = DepthScale.of(depth)
    return Batch(
        torch.from_numpy(grey),
        depth_target(torch.from_numpy(depth), scale),
        class_shares(torch.from_numpy(segmentation)),
    )


@pytest.fixture(scope="session")
def batch() -> Batch:
    return square_batch()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The folder in which torch hub keeps weight files; empty."""
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder
