"""The metrics, on encoders whose keypoints are known."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from synthetic_scene import SyntheticWorld

from kprl.cli import main
from kprl.keypoints import probe
from kprl.keypoints.evaluate import evaluate, render_dataset


class Brightest:
    """Four keypoints on the four brightest pixels: they turn with the image."""

    num_keypoints, values = 4, 3

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


def test_each_image_is_noted_while_the_world_shows_it():
    world, seen = SyntheticWorld(), []
    render_dataset(world, 3, seed=5, config={}, rendered=lambda: seen.append(world))
    assert seen == [world] * 3


class Latents:
    """Pairs of numbers that are no keypoints: grey levels of four places."""

    num_keypoints = 4

    def encode(self, images):
        return images[:, 8::16, 8:40:16].reshape(len(images), -1, 2)[:, :4].astype(np.float32)


KEYPOINT_KEYS = {"on_target", "objects_covered", "equivariance_px", "confident", "wander_px", "wander_median_px"}


def evaluated(tmp_path, capsys, monkeypatch, encoder, *flags):
    """The result file and the output of the command, with an encoder in the place of a model's."""
    monkeypatch.setattr(probe, "STEPS", 50)
    monkeypatch.setattr("kprl.keypoints.encoder.load_encoder", lambda folder: encoder)
    out = tmp_path / "eval.json"
    few = ["--images", "24", "--probe-images", "40"]
    main(["keypoints", "eval", "--model", "unused", "--json", str(out), *few, *flags])
    return json.loads(out.read_text()), capsys.readouterr().out


def test_the_command_measures_keypoints_and_draws_them(tmp_path, capsys, monkeypatch):
    run = partial(evaluated, tmp_path, capsys, monkeypatch, Brightest())
    result, shown = run("--shifted", "--pictures", str(tmp_path / "pictures"))
    assert (result["randomization"], result["seed"], result["images"]) == ("shifted", 1_000_000, 24)
    assert result["probe_images"] == 40
    assert all(isinstance(result[key], float) for key in KEYPOINT_KEYS | {"position_error_mm"})
    assert [keypoint["index"] for keypoint in result["keypoints"]] == [0, 1, 2, 3]
    assert sum(case["images"] for case in result["position_error"].values()) == 24
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"overlays.png", "failures.png"}
    assert f"{result['wander_px']:.2f} px" in shown and f"{result['position_error_mm']:.1f} mm" in shown
    again, _ = run("--shifted")
    train, _ = run()
    assert again == result
    assert train["randomization"] == "train" and train["on_target"] != result["on_target"]


def test_the_command_probes_latents_and_nothing_else(tmp_path, capsys, monkeypatch):
    result, shown = evaluated(tmp_path, capsys, monkeypatch, Latents())
    assert all(result[key] is None for key in KEYPOINT_KEYS | {"keypoints"})
    assert result["position_error_mm"] > 0 and result["images"] == 24
    assert "no keypoints" in shown
