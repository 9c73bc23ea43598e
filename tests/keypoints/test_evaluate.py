"""The metrics, on encoders whose keypoints are known."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_scene import SyntheticWorld

from kprl.keypoints.evaluate import evaluate, render_dataset


class Brightest:
    """Four keypoints on the four brightest pixels: they turn with the image."""

    num_keypoints = 4

    def __init__(self, confidence=1.0):
        self._confidence = confidence

    def encode(self, images):
        flat = images.reshape(len(images), -1).argsort(axis=1, kind="stable")[:, -4:]
        rows, columns = np.divmod(flat, 64)
        u, v = (2 * columns + 1) / 64 - 1, (2 * rows + 1) / 64 - 1
        return np.stack([u, v, np.full_like(u, self._confidence)], axis=-1).astype(np.float32)


class Corner(Brightest):
    """All keypoints in the upper left corner, whatever the image."""

    def encode(self, images):
        keypoints = super().encode(images)
        keypoints[..., :2] = -0.99
        return keypoints


class OneCorner(Brightest):
    """As Brightest, but two of the four keypoints in the corner."""

    def encode(self, images):
        keypoints = super().encode(images)
        keypoints[:, :2, :2] = -0.99
        return keypoints


@pytest.fixture(scope="module")
def dataset():
    dataset = render_dataset(SyntheticWorld(), 20, seed=5, config={})
    # Distinct levels on the target: the brightest pixels are then the same ones in a rotated image.
    rng = np.random.default_rng(0)
    dataset.grey[:] = np.minimum(dataset.grey, 150)
    for image, segmentation in zip(dataset.grey, dataset.segmentation, strict=True):
        rows, columns = np.nonzero(segmentation == 2)
        chosen = rng.permutation(len(rows))[:4]
        image[rows[chosen], columns[chosen]] = [200, 210, 220, 230][: len(chosen)]
    keep = (dataset.segmentation == 2).sum(axis=(1, 2)) >= 12
    return dataset.subset(np.nonzero(keep)[0])


def test_perfect_keypoints(dataset):
    metrics = evaluate(Brightest(), dataset)
    assert metrics.on_target == 1.0 and metrics.objects_covered == 1.0 and metrics.confident == 1.0
    assert metrics.equivariance_px == pytest.approx(0.0, abs=1e-4)
    assert metrics.images == len(dataset)


def test_keypoints_in_a_corner(dataset):
    metrics = evaluate(Corner(), dataset)
    assert metrics.on_target == 0.0 and metrics.objects_covered == 0.0
    assert metrics.equivariance_px > 60  # a corner is far from the corner that it should turn to


def test_half_of_the_keypoints(dataset):
    metrics = evaluate(OneCorner(), dataset)
    assert metrics.on_target == 0.5
    assert metrics.objects_covered == 0.0  # two are not three


def test_keypoints_without_confidence_do_not_count(dataset):
    metrics = evaluate(Brightest(confidence=0.1), dataset)
    assert metrics.on_target == 0.0 and metrics.objects_covered == 0.0 and metrics.confident == 0.0


def test_rendered_images_depend_on_the_seed(dataset):
    again = render_dataset(SyntheticWorld(), 3, seed=5, config={"scene": "env1"})
    other = render_dataset(SyntheticWorld(), 3, seed=6, config={})
    assert np.array_equal(again.grey, render_dataset(SyntheticWorld(), 3, seed=5, config={}).grey)
    assert not np.array_equal(again.grey, other.grey)
