"""One preprocessing for a simulated 64 x 64 picture and a real 640 x 480 one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kprl.errors import KprlError
from kprl.preprocess import (
    Intrinsics,
    count_blind,
    keypoints_from_image,
    keypoints_to_image,
    preprocess,
    require_visible,
    to_network,
)

SIMULATED = Intrinsics.from_field_of_view(36.0, 64, 64)
REALSENSE = Intrinsics(385.0, 385.0, 321.5, 238.7, 640, 480)  # of the order of a D435's infrared camera


@given(arrays(np.uint8, (64, 64)))
def test_the_policys_own_view_passes_unchanged(image):
    assert np.array_equal(preprocess(image, SIMULATED, 36.0), image)


def test_a_real_picture_is_cut_to_the_field_of_view():
    image = np.zeros((480, 640), np.uint8)
    half = 385.0 * np.tan(np.radians(18.0))
    image[:, : round(321.5 - half)] = 255  # what lies outside the view on the left
    view = preprocess(image, REALSENSE, 36.0)
    assert view.shape == (64, 64)
    assert view.max() == 0


@given(arrays(np.float32, (12, 2), elements=st.floats(-1, 1, width=32)))
def test_keypoints_go_to_the_picture_and_back(keypoints):
    for camera in (SIMULATED, REALSENSE):
        pixels = keypoints_to_image(keypoints, camera, 36.0)
        assert np.allclose(keypoints_from_image(pixels, camera, 36.0), keypoints, atol=1e-4)


def test_the_centre_is_the_principal_point():
    assert np.allclose(keypoints_to_image(np.zeros((1, 2)), REALSENSE, 36.0), [[321.5, 238.7]])


def test_odd_images_are_refused_by_name():
    with pytest.raises(KprlError, match=r"image is \(10, 10\) uint8: expected \(64, 64\)"):
        preprocess(np.zeros((10, 10), np.uint8), SIMULATED)
    with pytest.raises(KprlError, match="camera sees less than the policy"):
        preprocess(np.zeros((64, 64), np.uint8), Intrinsics.from_field_of_view(20.0, 64, 64), 36.0)
    with pytest.raises(KprlError, match=r"expected \(N, 64, 64\) uint8"):
        to_network(np.zeros((1, 64, 64), np.float32))


def test_views_that_show_nothing_are_refused_and_counted():
    noise = np.random.default_rng(0)
    covered = noise.normal(3.0, 1.0, (64, 64)).clip(0, 255).astype(np.uint8)  # a dark sensor's noise
    flat = np.full((64, 64), 255, np.uint8)
    dim = noise.normal(40.0, 5.5, (64, 64)).clip(0, 255).astype(np.uint8)
    assert count_blind(np.stack([covered, flat, dim])) == 2
    for view in (covered, flat):
        with pytest.raises(KprlError, match="the camera shows nothing: .* is the lens covered"):
            require_visible(view)
    assert require_visible(dim) is dim
