"""Photometric augmentation keeps the geometry and the range."""

from __future__ import annotations

import torch

from kprl.keypoints.augment import augment


def test_images_stay_images():
    images = torch.rand(32, 1, 64, 64)
    out = augment(images, torch.Generator().manual_seed(0))
    assert out.shape == images.shape and out.dtype == images.dtype
    assert (out >= 0).all() and (out <= 1).all()
    assert (out != images).flatten(1).any(dim=1).all()


def test_same_generator_same_result():
    images = torch.rand(8, 1, 64, 64)
    first = augment(images, torch.Generator().manual_seed(3))
    assert torch.equal(first, augment(images, torch.Generator().manual_seed(3)))
    assert not torch.equal(first, augment(images, torch.Generator().manual_seed(4)))


def test_edges_stay_where_they_are():
    images = torch.zeros(32, 1, 64, 64)
    images[..., 32:] = 0.6
    out = augment(images, torch.Generator().manual_seed(0))
    step = out.mean(dim=(1, 2))[:, 1:] - out.mean(dim=(1, 2))[:, :-1]  # (32, 63) between columns
    assert ((step.argmax(dim=1) - 31).abs() <= 1).all()


def test_any_image_of_a_batch_may_be_blurred():
    images = (torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.5).float().expand(16, 1, 64, 64)
    places = set()
    for seed in range(20):
        contrast = augment(images, torch.Generator().manual_seed(seed)).flatten(1).std(dim=1)
        places |= set(contrast.argsort()[:2].tolist())  # blurring evens out a pattern of single pixels
    assert len(places) > 8
