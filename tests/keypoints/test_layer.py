"""Equations (1) and (2), and the rotations of equation (3)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kprl.keypoints.layer import KeypointLayer, cell_centres, centroids, confidences, spatial_softmax
from kprl.keypoints.rotation import ROTATIONS, rotate_in_groups, rotate_keypoints, rotate_maps

seeds = st.integers(0, 10**6)


def random_features(seed, n=2, k=3, size=8):
    return 3.0 * torch.randn(n, k, size, size, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 31), st.integers(0, 31))
def test_one_hot_map_gives_the_centre_of_its_cell(row, column):
    maps = torch.zeros(1, 1, 32, 32)
    maps[0, 0, row, column] = 1.0
    u, v = centroids(maps)[0, 0].tolist()
    assert u == pytest.approx((2 * column + 1) / 32 - 1)
    assert v == pytest.approx((2 * row + 1) / 32 - 1)


def test_flat_map_gives_the_image_centre():
    assert torch.allclose(centroids(torch.full((1, 2, 32, 32), 1 / 1024)), torch.zeros(1, 2, 2), atol=1e-6)


def test_cell_centres_are_pixel_centres():
    np.testing.assert_allclose(cell_centres(4, torch.zeros(1)), [-0.75, -0.25, 0.25, 0.75])


@given(seeds, st.floats(0.1, 20.0))
def test_softmax_maps_sum_to_one_and_keypoints_stay_in_range(seed, sharpness):
    features = random_features(seed)
    maps = spatial_softmax(features, sharpness)
    assert torch.allclose(maps.sum(dim=(-2, -1)), torch.ones(2, 3), atol=1e-5)
    keypoints = KeypointLayer(sharpness)(features)
    assert keypoints.shape == (2, 3, 3)
    assert (keypoints[..., :2].abs() <= 1.0).all()
    assert ((keypoints[..., 2] >= 0.0) & (keypoints[..., 2] <= 1.0)).all()


@given(seeds)
def test_confidence_is_the_sigmoid_of_the_maximum(seed):
    features = random_features(seed)
    expected = 1.0 / (1.0 + np.exp(-features.numpy().max(axis=(2, 3))))
    np.testing.assert_allclose(confidences(features), expected, rtol=1e-5)


@given(seeds, st.sampled_from(ROTATIONS))
def test_rotating_maps_rotates_their_keypoints(seed, turns):
    features = random_features(seed)
    layer = KeypointLayer()
    rotated = rotate_keypoints(layer(features), turns)
    assert torch.allclose(layer(rotate_maps(features, turns)), rotated, atol=1e-5)


def test_four_quarter_turns_change_nothing():
    keypoints = torch.rand(5, 4, 3) * 2 - 1
    assert torch.equal(rotate_keypoints(keypoints, 4), keypoints)
    assert torch.allclose(rotate_keypoints(rotate_keypoints(keypoints, 1), 3), keypoints)


def test_quarter_turn_is_anticlockwise_on_the_screen():
    right = torch.tensor([[1.0, 0.0, 0.5]])
    assert rotate_keypoints(right, 1).tolist() == [[0.0, -1.0, 0.5]]  # v points down: -1 is the top


@pytest.mark.parametrize("n", [3, 4, 16])
def test_groups_are_rotated_by_90_180_and_270_degrees(n):
    maps = torch.rand(n, 2, 4, 4)
    rotated = rotate_in_groups(maps)
    turns = np.repeat(ROTATIONS, [len(part) for part in np.array_split(np.arange(n), 3)])
    for image, result, quarter_turns in zip(maps, rotated, turns, strict=True):
        assert torch.equal(result, torch.rot90(image, int(quarter_turns), dims=(-2, -1)))


def test_batch_too_small_to_rotate_is_refused():
    with pytest.raises(ValueError, match="batch of 2"):
        rotate_in_groups(torch.rand(2, 1, 4, 4))
