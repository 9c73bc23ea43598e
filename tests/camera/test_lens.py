"""Intrinsics to the pinhole of rectified images, held against the SDK's own projection."""

from __future__ import annotations

import numpy as np
import pytest
import rclpy  # noqa: F401  before pyrealsense2
from hypothesis import given, settings
from hypothesis import strategies as st
from software_camera import CENTRE, FOCAL, HEIGHT, WIDTH, intrinsics, rs

from kprl.errors import KprlError
from kprl_camera.lens import POLYNOMIALS, Lens, distort, rectifier, require_polynomial
from kprl_ros import camera_messages

COEFFICIENTS = st.tuples(*[st.floats(-0.1, 0.1)] * 2, *[st.floats(-0.01, 0.01)] * 2, st.floats(-0.05, 0.05))


def lens(model: str = "brown_conrady", coefficients: tuple[float, ...] = (0.0,) * 5) -> Lens:
    return Lens(FOCAL, FOCAL, *CENTRE, WIDTH, HEIGHT, model, coefficients)


@pytest.mark.parametrize("model", POLYNOMIALS)
@settings(deadline=None, max_examples=40)
@given(COEFFICIENTS, st.floats(0, WIDTH - 1), st.floats(0, HEIGHT - 1))
def test_distort_is_the_sdks_projection(model: str, coefficients: tuple[float, ...], u: float, v: float) -> None:
    values = intrinsics(coefficients, getattr(rs.distortion, model))
    ray = [(u - CENTRE[0]) / FOCAL, (v - CENTRE[1]) / FOCAL, 1.0]
    expected = rs.rs2_project_point_to_pixel(values, ray)
    assert distort(lens(model, coefficients), np.array([u, v])) == pytest.approx(expected, abs=0.01)


def test_an_undistorted_image_is_not_touched() -> None:
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert rectifier(lens())(image) is image


@pytest.mark.parametrize("model", POLYNOMIALS)
def test_rectification_puts_a_distorted_point_where_the_pinhole_has_it(model: str) -> None:
    bent = lens(model, (-0.06, 0.05, 0.002, -0.001, -0.01))
    for straight in ([40.0, 50.0], [600.0, 60.0], [320.0, 240.0], [90.0, 430.0]):
        x, y = np.round(distort(bent, np.array(straight))).astype(int)
        image = np.zeros((HEIGHT, WIDTH), np.uint8)
        image[y - 2 : y + 3, x - 2 : x + 3] = 255
        weights = rectifier(bent)(image).astype(float)
        rows, columns = np.indices(image.shape)
        found = np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
        assert np.abs(found - straight).max() < 1.0


def test_a_fisheye_is_refused() -> None:
    with pytest.raises(KprlError, match="'kannala_brandt4': expected one of brown_conrady"):
        require_polynomial(lens("kannala_brandt4", (0.1, 0, 0, 0, 0)))


def test_camera_info_has_the_intrinsics_and_comes_back() -> None:
    pinhole = lens().pinhole()
    message = camera_messages.camera_info(pinhole)
    assert list(message.k) == [FOCAL, 0, CENTRE[0], 0, FOCAL, CENTRE[1], 0, 0, 1]
    assert camera_messages.intrinsics(message) == pinhole
