"""Each loss is zero where it must be, positive elsewhere, and its gradient points the right way."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kprl.keypoints import losses
from kprl.keypoints.layer import centroids, spatial_softmax
from kprl.keypoints.rotation import rotate_in_groups

K = 4


def class_shares(target=(4, 4), gripper=(12, 12), size=16):
    """One image of (1, 3, size, size) with a 2x2 target and a 2x2 gripper at the given cells; None: hidden."""
    shares = torch.zeros(1, 3, size, size)
    for label, corner in ((2, target), (1, gripper)):
        if corner is not None:
            row, column = corner
            shares[0, label, row : row + 2, column : column + 2] = 1.0
    shares[:, 0] = 1.0 - shares[:, 1:].sum(dim=1)
    return shares


def map_at(row, column, size=16):
    one = torch.zeros(size, size)
    one[row, column] = 1.0
    return one


def test_depth_loss_is_zero_for_the_truth_alone():
    depth = torch.randn(2, 1, 8, 8)
    assert losses.depth_loss(depth, depth) == 0.0
    assert losses.depth_loss(depth + 0.1, depth) > 0.0


def test_segmentation_loss_prefers_the_truth():
    shares = class_shares()
    right, wrong = 20.0 * shares, 20.0 * shares.roll(1, dims=1)
    assert losses.segmentation_loss(right, shares) < 1e-3
    assert losses.segmentation_loss(wrong, shares) > 10.0


@given(st.integers(0, 1000))
def test_hardest_cells_cost_at_least_the_average(seed):
    logits = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    shares = class_shares()
    hardest = losses.segmentation_loss(logits, shares, hardest=0.3)
    assert hardest >= losses.segmentation_loss(logits, shares, hardest=1.0)


def keypoint_pair(distance, confidence=1.0):
    return torch.tensor([[[-distance / 2, 0.0, confidence], [distance / 2, 0.0, confidence]]])


def test_proximity_is_the_formula():
    for sharpness, distance, confidence in ((20.0, 0.2, 1.0), (100.0, 0.1, 0.5)):
        expected = torch.exp(torch.tensor(-sharpness * distance**2)) * confidence**2
        found = losses.proximity_loss(keypoint_pair(distance, confidence), sharpness)
        assert found == pytest.approx(expected.item(), rel=1e-5)


@given(st.floats(0.01, 0.9), st.floats(0.05, 1.0))
def test_proximity_falls_with_distance_and_with_confidence(distance, confidence):
    here = losses.proximity_loss(keypoint_pair(distance, confidence))
    assert 0.0 <= losses.proximity_loss(keypoint_pair(distance + 0.05, confidence)) < here
    assert losses.proximity_loss(keypoint_pair(distance, confidence / 2)) < here


def test_proximity_pushes_apart():
    keypoints = keypoint_pair(0.1).requires_grad_()
    losses.proximity_loss(keypoints).backward()
    left, right = (-keypoints.grad[0, :, 0]).tolist()  # the step that gradient descent takes
    assert left < 0.0 < right


def test_background_is_the_share_outside():
    allowed = losses.foreground(class_shares())
    inside, outside = map_at(4, 4), map_at(0, 0)
    assert losses.background_loss(torch.stack([inside, inside])[None], allowed) == 0.0
    assert losses.background_loss(torch.stack([inside, outside])[None], allowed) == 0.5
    assert losses.background_loss(torch.stack([outside, outside])[None], allowed) == 1.0


def test_background_pulls_a_map_onto_the_object():
    features = torch.zeros(1, 1, 16, 16, requires_grad=True)
    allowed = losses.foreground(class_shares(target=(4, 4), gripper=None))
    losses.background_loss(spatial_softmax(features), allowed).backward()
    assert (-features.grad[0, 0, 4:6, 4:6] > 0).all()
    assert -features.grad[0, 0, 0, 0] < 0


def test_assignment_gives_half_to_the_target_and_half_to_the_gripper():
    shares = class_shares()
    allowed = losses.assigned_foreground(shares, K)
    assert allowed.shape == (1, K, 16, 16)
    for i in range(K):
        assert torch.equal(allowed[0, i], shares[0, 2 if i < K // 2 else 1])


def test_keypoints_of_a_hidden_target_may_use_the_gripper():
    shares = class_shares(target=None)
    allowed = losses.assigned_foreground(shares, K)
    assert torch.equal(allowed[0, 0], shares[0, 1])


def test_equivariance_is_zero_for_a_map_that_turns_with_the_image():
    features = torch.randn(6, K, 8, 8)
    maps = spatial_softmax(features, 5.0)
    assert losses.equivariance_loss(rotate_in_groups(maps), rotate_in_groups(maps)) < 1e-5
    assert losses.equivariance_loss(rotate_in_groups(maps), maps) > 0.01


def test_equivariance_is_the_distance_of_the_keypoints():
    here, there = map_at(2, 3)[None, None], map_at(2, 5)[None, None]
    distance = (centroids(here) - centroids(there)).norm()
    assert losses.equivariance_loss(here, there) == pytest.approx(distance.item(), rel=1e-4)


def test_equivariance_has_a_finite_gradient_at_zero():
    features = torch.randn(1, 1, 8, 8, requires_grad=True)
    maps = spatial_softmax(features)
    losses.equivariance_loss(maps, maps.detach()).backward()
    assert torch.isfinite(features.grad).all()
