"""Any image of the camera to grey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kprl.errors import KprlError
from kprl_camera.grey import to_grey

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))
GREYS = SIZES.flatmap(lambda size: arrays(np.uint8, size))
COLOURS = SIZES.flatmap(lambda size: arrays(np.uint8, (*size, 3)))


@given(GREYS)
def test_grey_stays_as_it_is(image: np.ndarray) -> None:
    assert to_grey(image) is image


@given(GREYS)
def test_colour_without_hue_keeps_its_grey(image: np.ndarray) -> None:
    assert np.array_equal(to_grey(np.stack([image] * 3, -1)), image)


@given(COLOURS)
def test_luma_weighs_red_green_blue(image: np.ndarray) -> None:
    luma = image @ np.array([0.299, 0.587, 0.114])
    assert np.abs(to_grey(image) - luma).max() <= 1.0


@pytest.mark.parametrize("shape", [(4, 4, 4), (4,), (4, 4, 1)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(KprlError, match=r"expected \(H, W\) or \(H, W, 3\) uint8"):
        to_grey(np.zeros(shape, np.uint8))


def test_depth_is_refused() -> None:
    with pytest.raises(KprlError, match="uint16"):
        to_grey(np.zeros((4, 4), np.uint16))
