"""Which images count as failures, and what is drawn of them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kprl.data.dataset import Dataset
from kprl.errors import KprlError
from kprl.keypoints.pictures import astray_px, worst_images, write_pictures


@pytest.fixture()
def segmentation():
    """Four images with a target in the columns 20 to 29, from top to bottom."""
    classes = np.zeros((4, 64, 64), np.uint8)
    classes[:, :, 20:30] = 2
    return classes


def at_columns(columns, confidence=1.0):
    """Keypoints (N, K, 3) in the middle of pixels of row 32, at columns (N, K)."""
    u = (2 * np.asarray(columns) + 1) / 64 - 1
    return np.stack([u, np.full_like(u, 1 / 64), np.full_like(u, confidence)], axis=-1)


COLUMNS = [[22, 25], [31, 31], [22, 40], [33, 33]]  # pixels away: 0 and 0, 2 and 2, 0 and 11, 4 and 4


def dataset(segmentation):
    return Dataset(np.full_like(segmentation, 90), segmentation.astype(np.float16), segmentation, {})


def test_distances_are_those_to_the_nearest_body(segmentation):
    assert astray_px(at_columns(COLUMNS), segmentation) == pytest.approx(np.array([[0, 0], [2, 2], [0, 11], [4, 4]]))
    assert not astray_px(at_columns(COLUMNS, confidence=0.4), segmentation).any()
    assert np.isfinite(astray_px(at_columns(COLUMNS), np.zeros_like(segmentation))).all()


def test_the_worst_come_first_and_the_good_not_at_all(segmentation):
    assert worst_images(at_columns(COLUMNS), segmentation).tolist() == [2, 3, 1]


def test_pictures_of_failures_are_there_if_there_are_failures(segmentation, tmp_path):
    write_pictures(tmp_path, dataset(segmentation), at_columns(COLUMNS))
    assert np.asarray(Image.open(tmp_path / "failures.png")).ndim == 3
    write_pictures(tmp_path, dataset(segmentation), at_columns([[22, 25]] * 4))
    assert [path.name for path in tmp_path.iterdir()] == ["overlays.png"]


def test_latents_cannot_be_drawn(segmentation, tmp_path):
    with pytest.raises(KprlError, match="leave out --pictures"):
        write_pictures(tmp_path, dataset(segmentation), at_columns(COLUMNS)[..., :2])
