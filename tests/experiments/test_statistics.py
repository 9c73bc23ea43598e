"""Mean and variance over seeds, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kprl.experiments.statistics import band, spread


def test_spread_is_mean_and_unbiased_variance():
    found = spread([0.2, 0.4, 0.9])  # deviations -0.3, -0.1, 0.4: squares sum to 0.26
    assert (found.mean, found.variance, found.seeds) == (pytest.approx(0.5), pytest.approx(0.13), 3)


def test_a_single_seed_has_no_variance():
    found = spread([0.7])
    assert found.mean == 0.7 and math.isnan(found.variance) and found.seeds == 1
    assert np.isnan(band([[(0, 1.0), (10, 2.0)]]).variance).all()


def test_band_of_curves_with_the_same_steps():
    found = band([[(0, 0.0), (100, 0.5), (200, 1.0)], [(0, 0.0), (100, 0.7), (200, 0.6)]])
    np.testing.assert_array_equal(found.step, [0, 100, 200])
    np.testing.assert_allclose(found.mean, [0.0, 0.6, 0.8])
    np.testing.assert_allclose(found.variance, [0.0, 0.02, 0.08])  # (difference / 2)^2 * 2
    assert found.seeds == 2


def test_band_ends_with_the_shortest_curve_and_is_linear_between_steps():
    found = band([[(0, 0.0), (100, 1.0)], [(0, 2.0), (50, 2.0), (150, 4.0)]])
    np.testing.assert_array_equal(found.step, [0, 50, 100])
    np.testing.assert_allclose(found.mean, [1.0, 1.25, 2.0])  # the first is 0.5 at 50, the second 3 at 100
    np.testing.assert_allclose(found.variance, [2.0, 1.125, 2.0])
