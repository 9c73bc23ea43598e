"""The probe of the object's position, on features whose content is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from kprl.data.config import image_seed
from kprl.keypoints import probe
from kprl.keypoints.probe import PROBE_SEED_DISTANCE, Probe, position_errors, projections
from kprl.keypoints.scenes import render_scenes
from kprl.sim.camera import TARGET

SEED = 11


@pytest.fixture(autouse=True)
def short_training(monkeypatch):
    monkeypatch.setattr(probe, "STEPS", 500)  # what is tested are large differences


@pytest.fixture(scope="module")
def scenes():
    return render_scenes("grasp", "env1", "cube", "train", images=300, seed=SEED)


@pytest.fixture(scope="module")
def probe_scenes():
    return render_scenes("grasp", "env1", "cube", "train", images=1500, seed=SEED + PROBE_SEED_DISTANCE)


def noise(scenes, seed):
    return np.random.default_rng(seed).normal(size=(len(scenes), 8))


@pytest.fixture(scope="module")
def of_projections(scenes, probe_scenes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "STEPS", 500)
        return position_errors(projections(scenes), scenes, projections(probe_scenes), probe_scenes, 0)


def test_projections_tell_the_position(of_projections):
    assert of_projections.position_error_mm < 8.0
    assert of_projections.position_error_mm == of_projections.position_error_of_projections_mm
    assert of_projections.position_error["held"].median_mm < 8.0


def test_noise_tells_no_more_than_the_tool_does(scenes, probe_scenes, of_projections):
    blind = position_errors(noise(scenes, 0), scenes, noise(probe_scenes, 1), probe_scenes, 0)
    assert blind.position_error_mm > 0.9 * blind.position_error_of_tool_mm
    assert blind.position_error_mm > 4 * of_projections.position_error_mm
    assert blind.position_error_of_tool_mm < blind.position_error_of_mean_mm  # where the tool is, the object is not


def test_noise_alone_is_as_bad_as_the_mean(scenes, probe_scenes):
    learnt = probe_scenes.object_position - probe_scenes.tcp
    truth = scenes.object_position - scenes.tcp
    recovered = Probe(noise(probe_scenes, 1), learnt, seed=0).recover(noise(scenes, 0))
    of_noise, of_mean = (np.median(np.linalg.norm(truth - p, axis=1)) for p in (recovered, learnt.mean(axis=0)))
    assert of_noise > 0.8 * of_mean


def test_the_mean_is_that_of_the_probes_images(scenes, probe_scenes, of_projections):
    offset = (probe_scenes.object_position - probe_scenes.tcp).mean(axis=0)
    lying = ~scenes.held & (scenes.pixels(TARGET) >= 12)
    distances = np.linalg.norm(scenes.object_position - scenes.tcp - offset, axis=1)[lying]
    assert of_projections.position_error_of_mean_mm == pytest.approx(1000 * np.median(distances))


def test_every_image_belongs_to_one_case(scenes, of_projections):
    counts = {name: error.images for name, error in of_projections.position_error.items()}
    assert list(counts) == ["lying", "held", "hidden"] and sum(counts.values()) == len(scenes)
    assert counts["lying"] > counts["held"] > counts["hidden"]
    for error in of_projections.position_error.values():
        assert error.images == 0 or error.median_mm <= error.p90_mm


def test_a_case_without_images_is_none(scenes, probe_scenes, monkeypatch):
    monkeypatch.setattr(probe, "STEPS", 1)
    empty = dataclasses.replace(scenes.dataset, segmentation=np.zeros_like(scenes.dataset.segmentation))
    nowhere = dataclasses.replace(scenes, dataset=empty)
    errors = position_errors(noise(scenes, 0), nowhere, noise(probe_scenes, 1), probe_scenes, 0)
    assert errors.position_error_mm is None and errors.position_error_of_mean_mm is None
    assert errors.position_error["lying"] == probe.PositionError(0, None, None, None)
    assert errors.position_error["hidden"].images == len(scenes)


def test_the_same_seed_learns_the_same_and_leaves_torch_alone(scenes, probe_scenes):
    learnt = probe_scenes.object_position - probe_scenes.tcp
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    first, again, other = (
        Probe(projections(probe_scenes), learnt, seed).recover(projections(scenes)) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(torch.rand(3), expected) and torch.get_num_threads() == threads


def test_an_input_that_never_changes_does_no_harm(scenes, probe_scenes):
    learnt = probe_scenes.object_position - probe_scenes.tcp
    given = [np.concatenate([projections(s), np.full((len(s), 1), 3.0)], axis=1) for s in (probe_scenes, scenes)]
    recovered = Probe(given[0], learnt, seed=0).recover(given[1])
    assert np.isfinite(recovered).all()
    assert np.median(np.linalg.norm(recovered - (scenes.object_position - scenes.tcp), axis=1)) < 0.015


def test_test_images_and_the_probes_own_are_others():
    tested, learnt = ({image_seed(seed, i) for i in range(6000)} for seed in (SEED, SEED + PROBE_SEED_DISTANCE))
    assert not tested & learnt
