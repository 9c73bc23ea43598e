"""Overlays: identity by colour and number, confidence by opacity, quick enough for every camera frame."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from kprl.keypoints.overlay import draw_keypoints, overlay_grid, palette, write_overlays

GREY = np.full((64, 64), 100, np.uint8)
LIMIT = 0.004  # [s] a picture; alone on a machine it takes a tenth of that


def keypoint(u=0.0, v=0.0, confidence=1.0):
    return np.array([[u, v, confidence]], np.float32)


def test_size_and_type():
    picture = draw_keypoints(GREY, keypoint(), scale=4)
    assert picture.shape == (256, 256, 3) and picture.dtype == np.uint8


def test_image_is_untouched_away_from_keypoints():
    picture = draw_keypoints(GREY, keypoint(0.5, 0.5), scale=4)
    assert (picture[:100, :100] == 100).all()


@pytest.mark.parametrize(("u", "v"), [(-0.5, 0.25), (0.5, -0.5)])
def test_disc_lies_at_the_keypoint(u, v):
    changed = (draw_keypoints(GREY, keypoint(u, v), scale=4) != 100).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert columns.mean() == pytest.approx((u + 1) / 2 * 256, abs=1.5)
    assert rows.mean() == pytest.approx((v + 1) / 2 * 256, abs=1.5)


def test_low_confidence_is_faint():
    contrast = [np.abs(draw_keypoints(GREY, keypoint(confidence=c)).astype(int) - 100).sum() for c in (0.0, 0.5, 1.0)]
    assert 0 < contrast[0] < contrast[1] < contrast[2]


def test_colour_belongs_to_the_index():
    assert np.array_equal(palette(12)[:5], palette(5))
    assert len(np.unique(palette(16), axis=0)) == 16


@given(arrays(np.float32, (14, 3), elements=st.floats(-2, 2, width=32)))
def test_any_keypoints_can_be_drawn(keypoints):
    assert draw_keypoints(GREY, keypoints, scale=2).shape == (128, 128, 3)


def test_grid_holds_every_image(tmp_path):
    grey, keypoints = np.repeat(GREY[None], 5, 0), np.repeat(keypoint()[None], 5, 0)
    grid = overlay_grid(grey, keypoints, columns=3, scale=2)
    assert grid.shape[0] > 2 * 128 and grid.shape[1] > 3 * 128
    write_overlays(tmp_path / "keypoints.png", grey, keypoints)
    with Image.open(tmp_path / "keypoints.png") as picture:
        assert picture.mode == "RGB"


def test_drawing_is_quick():
    keypoints = np.random.default_rng(0).uniform(-1, 1, (12, 3))
    durations = []
    for _ in range(30):
        start = time.perf_counter()
        draw_keypoints(GREY, keypoints, scale=4)
        durations.append(time.perf_counter() - start)
    assert min(durations) < LIMIT
